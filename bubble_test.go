package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
)

// bubble is a simulator, the plugin and fleeting's provisioner in one process,
// for use within testing/synctest: nothing waits for a network, and hours pass
// in milliseconds. All that lies between them is real but the sockets: SDK,
// HTTP, JSON, tokens.
type bubble struct {
	sim   *armsim.Server
	max   int
	poll  time.Duration // of the runner while something is under way; 0: fleeting's default
	log   hclog.Logger
	watch *watch                                    // what must hold at all times
	wire  func(http.RoundTripper) http.RoundTripper // what lies between plugin and simulator; nil: nothing

	plugin      *InstanceGroup
	provisioner *fleeting.Provisioner
	line        *line
	dead        sync.WaitGroup // of provisioners that were left
}

var testLog = hclog.NewNullLogger()

// scaleSetName is the name of the scale set in a bubble.
const scaleSetName = "ci"

// newBubble makes a simulator with one scale set. start follows.
func newBubble(c armsim.Config, spec armsim.ScaleSetSpec) (*bubble, error) {
	c.InProcess = true
	if c.Boot.Median == 0 {
		c.Boot = armsim.Duration{Median: 40 * time.Second, Spread: 0.3}
	}
	if c.Delete.Median == 0 {
		c.Delete = armsim.Duration{Median: 20 * time.Second, Spread: 0.3}
	}
	sim, err := armsim.New(c)
	if err != nil {
		return nil, err
	}
	spec.Name, spec.AdminPassword = scaleSetName, "Not-a-real-1"
	if _, err := sim.CreateScaleSet(context.Background(), spec); err != nil {
		return nil, err
	}
	b := &bubble{sim: sim, max: 8, log: testLog}
	b.watch = newWatch(b)
	return b, nil
}

// start starts the plugin and the provisioner, as the runner does.
func (b *bubble) start() error {
	if b.poll == 0 {
		b.poll = fleeting.DefaultUpdateIntervalWhenExpecting
	}
	b.line = &line{bubble: b, under: b.sim.Transport()}
	if b.wire != nil {
		b.line.under = b.wire(b.line.under)
	}
	raw, err := json.Marshal(map[string]any{
		"name": scaleSetName, "subscription_id": armsim.DefaultSubscriptionID, "resource_group_name": armsim.DefaultResourceGroup,
		"cloud": map[string]any{
			"authority_host": b.sim.Endpoint + "/", "resource_manager_endpoint": b.sim.Endpoint, "resource_manager_audience": b.sim.Audience,
		},
	})
	if err != nil {
		return err
	}
	b.plugin = New(armapi.Options{Transport: &http.Client{Transport: b.line}, Credential: credential{b.sim}})
	if err := json.Unmarshal(raw, b.plugin); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // as the runner
	defer cancel()
	b.provisioner, err = fleeting.Init(ctx, b.log, b.watch.over(b.plugin),
		fleeting.WithMaxSize(b.max), fleeting.WithUpdateIntervalWhenExpecting(b.poll), fleeting.WithInstanceGroupSettings(provider.Settings{ConnectorConfig: provider.ConnectorConfig{
			Username: "azureuser", Password: "Not-a-real-1", UseStaticCredentials: true,
		}}))
	return err
}

// crash ends the plugin as kill -9 does: no request of it goes out any more. Its
// provisioner, which would have died with it, is left to end.
func (b *bubble) crash() {
	b.line.cut()
	b.leave(b.provisioner)
	b.provisioner = nil
	b.watch.forget()
}

func (b *bubble) leave(p *fleeting.Provisioner) {
	if p == nil {
		return
	}
	b.dead.Go(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		p.Shutdown(ctx)
	})
}

// restart starts a new plugin after a crash; the runner tries until it works.
func (b *bubble) restart() error {
	var err error
	for range 60 {
		if err = b.start(); err == nil {
			return nil
		}
		b.line.cut()
		time.Sleep(30 * time.Second)
	}
	return fmt.Errorf("no restart within half an hour: %w", err)
}

// close ends all goroutines. fleeting does not wait for its own, which sleeps
// for up to its update interval of a minute.
func (b *bubble) close() {
	b.line.cut()
	b.leave(b.provisioner)
	b.dead.Wait()
	time.Sleep(2 * time.Minute)
	b.sim.Close()
}

// line is the connection of one plugin process.
type line struct {
	bubble *bubble
	under  http.RoundTripper

	mu     sync.Mutex
	broken bool
	fatal  string // the method of a request during which the process dies
}

var errDead = errors.New("the process is dead")

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = true
}

func (l *line) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// dieDuring lets the process die after the next request of a method was carried
// out, and before its answer arrives.
func (l *line) dieDuring(method string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatal = method
}

// RoundTrip implements http.RoundTripper.
func (l *line) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.isCut() {
		return nil, errDead
	}
	after := l.bubble.watch.request(r)
	response, err := l.under.RoundTrip(r)
	after(response)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == r.Method {
		l.broken = true
	}
	if l.broken {
		return nil, errDead
	}
	return response, err
}

// credential signs in to a simulator.
type credential struct{ sim *armsim.Server }

// GetToken implements azcore.TokenCredential.
func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.sim.Token()
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, err
}
