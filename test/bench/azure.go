package bench

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// Setting is what a scenario plays in.
type Setting struct {
	Mode     string        // orchestration mode
	PageSize int           // of lists
	Latency  time.Duration // of each request
	Sets     int           // scale sets, each with a runner of its own
	Busy     bool          // a neighbour uses most of the subscription's limits up

	Seed   uint64               // of the simulator; 0: that of all benchmarks
	Times  func(*armsim.Config) // of boots and the like; nil: those of all benchmarks
	Plugin map[string]any       // further options of our plugin
}

const (
	modeUniform  = "Uniform"
	modeFlexible = "Flexible"

	seed     = 12
	password = "Not-a-real-1" // of simulated instances

	// sampling is how often instances are looked at for whether they run.
	sampling = 500 * time.Millisecond
)

// subscription is a simulator with scale sets, and knows since when instances run.
type subscription struct {
	*armsim.Server
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu  sync.Mutex
	ran map[string]map[string]run // by scale set and ID in requests
}

// run is an instance that has run.
type run struct {
	since time.Time
	id    string // in requests to Azure
	name  string
	vmID  string
}

func newSubscription(s Setting) (*subscription, error) {
	c := armsim.Config{
		InProcess: true, Seed: cmp.Or(s.Seed, seed), PageSize: s.PageSize, Throttle: true,
		Boot:   armsim.Duration{Median: 85 * time.Second, Spread: 0.18},
		Delete: armsim.Duration{Median: 40 * time.Second, Spread: 0.3},
	}
	if s.Times != nil {
		s.Times(&c)
	}
	sim, err := armsim.New(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	sub := &subscription{Server: sim, cancel: cancel, ran: map[string]map[string]run{}}
	for i := range s.Sets {
		sub.ran[setName(i)] = map[string]run{}
		if _, err := sim.CreateScaleSet(ctx, armsim.ScaleSetSpec{Name: setName(i), AdminPassword: password, OrchestrationMode: s.Mode}); err != nil {
			return nil, err
		}
	}
	sub.work.Go(func() { sub.watch(ctx) })
	if s.Busy {
		err = sub.share()
	}
	return sub, err
}

// neighbourShare is what a neighbour uses up of the subscription's limits.
const neighbourShare = 0.9

// share has a neighbour use most of the subscription's limits up.
func (s *subscription) share() error {
	return s.ShareLimits(neighbourShare)
}

func setName(i int) string { return fmt.Sprintf("ci%d", i) }

// watch keeps when instances began to run.
func (s *subscription) watch(ctx context.Context) {
	tick := time.NewTicker(sampling)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.sample()
		}
	}
}

func (s *subscription) sample() {
	all := s.Instances()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range all {
		of := s.ran[i.ScaleSet]
		if _, ok := of[i.InstanceID]; !ok && i.PowerState == "running" && i.ProvisioningState == "Succeeded" {
			of[i.InstanceID] = run{since: time.Now(), id: i.InstanceID, name: i.Name, vmID: i.VMID}
		}
	}
}

// runs are the instances of a scale set that have run.
func (s *subscription) runs(set string) []run {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []run
	for _, one := range s.ran[set] {
		all = append(all, one)
	}
	return all
}

func (s *subscription) end() {
	s.cancel()
	s.work.Wait()
	s.Close()
}

// credential signs in to a simulator.
type credential struct{ sim *armsim.Server }

// GetToken implements azcore.TokenCredential.
func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.sim.Token()
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, err
}
