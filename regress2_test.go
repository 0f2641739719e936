package azure

import (
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
)

// rigSetup is what a bubble of a named failure begins with.
type rigSetup struct {
	config armsim.Config
	spec   armsim.ScaleSetSpec
	max    int // of the runner; 0: 8
	wire   func(http.RoundTripper) http.RoundTripper
	asleep bool // the test starts the plugin by itself
}

// rig is a bubble for the test of a named failure. All promises that watch
// looks after hold to its end, or the test fails.
type rig struct {
	*testing.T
	model
	text   *rigLog // what plugins and provisioners logged
	rivals []*bubble
}

// bubbled plays a test in a bubble of virtual time. Azure's request limits are
// in force.
func bubbled(t *testing.T, s rigSetup, play func(*rig)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s.config.Throttle = true
		if s.config.PageSize == 0 {
			s.config.PageSize = 50
		}
		if s.config.Boot.Median == 0 {
			s.config.Boot = armsim.Duration{Median: 10 * time.Second, Spread: 0.3}
		}
		b, err := newBubble(s.config, s.spec)
		require.NoError(t, err)
		r := &rig{T: t, model: model{bubble: b, flexible: s.spec.OrchestrationMode == "Flexible"}, text: &rigLog{}}
		b.wire = s.wire
		b.log = hclog.New(&hclog.LoggerOptions{Level: hclog.Debug, Output: r.text})
		if b.max = s.max; b.max == 0 {
			b.max = 8
		}
		defer r.end()
		if !s.asleep {
			require.NoError(t, b.start())
		}
		play(r)
	})
}

func (r *rig) end() {
	if r.line == nil {
		r.sim.Close()
		return
	}
	for _, other := range r.rivals {
		other.line.cut()
		other.leave(other.provisioner)
		other.dead.Wait()
	}
	r.close()
	if err := r.watch.err(); err != nil {
		r.Errorf("broken promises: %v", err)
	}
	if bad := r.sim.Stats().NotSimulated; len(bad) > 0 {
		r.Errorf("not simulated: %v", bad)
	}
	if r.Failed() {
		r.Log(r.text.tail(12_000))
	}
}

// await waits in virtual time.
func (r *rig) await(limit time.Duration, what string, done func() error) {
	r.Helper()
	var err error
	for begun := time.Now(); time.Since(begun) <= limit; time.Sleep(time.Second) {
		if err = done(); err == nil {
			return
		}
	}
	require.NoError(r, err, "%s: not within %s", what, limit)
}

// fleet waits until the runner has n instances and nothing else, all running,
// and Azure has the same ones.
func (r *rig) fleet(n int) []fleeting.Instance {
	r.Helper()
	r.await(time.Hour, "fleet", func() error {
		if known := len(r.provisioner.Instances()); known != n {
			return fmt.Errorf("the runner knows %d instances, not %d: %+v", known, n, r.provisioner.Capacity())
		}
		return r.settled()
	})
	return r.running()
}

// demand asks for instances until there are or will be n.
func (r *rig) demand(n int) {
	c := r.provisioner.Capacity()
	if missing := n - c.Creating - c.Running - c.Requested; missing > 0 {
		r.provisioner.Request(missing)
	}
}

func (r *rig) mark() int { return len(r.sim.Journal()) }

// since are the requests of an operation after a mark; "*" stands for any part.
func (r *rig) since(mark int, operation string) []armsim.Entry {
	var all []armsim.Entry
	for _, e := range r.sim.Journal()[mark:] {
		if ok, _ := path.Match(operation, e.Operation); ok {
			all = append(all, e)
		}
	}
	return all
}

// writes are the changes of scale sets after a mark, but for the owner's tag.
func (r *rig) writes(mark int) []armsim.Entry {
	var all []armsim.Entry
	for _, e := range r.sim.Journal()[mark:] {
		body, _ := e.Body.(map[string]any)
		if e.Method != http.MethodGet && body["tags"] == nil {
			all = append(all, e)
		}
	}
	return all
}

func (r *rig) fault(faults ...armsim.Fault) {
	r.Helper()
	require.NoError(r, r.sim.AddFaults(faults...))
}

// rigFor limits a fault to a time.
func rigFor(f armsim.Fault, d time.Duration) armsim.Fault {
	f.For = armsim.Span(d)
	return f
}

// rigLog keeps a log.
type rigLog struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *rigLog) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("[DEBUG] running ")) {
		return len(p), nil // every two seconds
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *rigLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func (l *rigLog) tail(n int) string {
	text := l.String()
	return text[max(0, len(text)-n):]
}

func rigEqual(want, got int) error {
	if want != got {
		return fmt.Errorf("%d, not %d", got, want)
	}
	return nil
}

// nameOf is the name of an instance in Azure's own case, empty where it is gone.
func (r *rig) nameOf(i fleeting.Instance) string {
	for _, there := range r.sim.Instances() {
		if idOf(there) == i.ID() {
			return there.Name
		}
	}
	return ""
}

// rival is a second manager of the same scale set.
func (r *rig) rival() *bubble {
	r.Helper()
	other := &bubble{sim: r.sim, max: r.max, poll: r.poll, log: testLog}
	other.watch = newWatch(other)
	require.NoError(r, other.start())
	r.rivals = append(r.rivals, other)
	return other
}

// bare is a further plugin in the process, that no runner drives.
func (r *rig) bare() *InstanceGroup {
	r.Helper()
	g := &InstanceGroup{Config: r.plugin.Config, api: armapi.Options{Transport: &http.Client{Transport: r.sim.Transport()}, Credential: credential{r.sim}}}
	_, err := g.Init(r.Context(), testLog, provider.Settings{ConnectorConfig: provider.ConnectorConfig{
		Username: "azureuser", Password: "Not-a-real-1", UseStaticCredentials: true,
	}})
	require.NoError(r, err)
	return g
}
