package azure

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// The regress files hold a named test for each way in which driving a scale set
// has gone wrong for others. Each runs in a bubble, where the promises are
// checked all along; see watch.

// scene is the bubble of such a test.
type scene struct {
	*bubble
	t   *testing.T
	out *journal
}

// inBubble plays a scene: the plugin has started, and nothing that it promised
// may be broken at the end. Azure's request limits are in force.
func inBubble(t *testing.T, c armsim.Config, spec armsim.ScaleSetSpec, play func(s *scene)) {
	inScene(t, c, spec, func(s *scene) {
		require.NoError(s.t, s.start())
		play(s)
	})
}

// inScene is inBubble before the plugin has started.
func inScene(t *testing.T, c armsim.Config, spec armsim.ScaleSetSpec, play func(s *scene)) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, c, spec)
		defer s.close()
		play(s)
		require.NoError(t, s.watch.err())
	})
}

// newScene is a scene whose plugin has not started.
func newScene(t *testing.T, c armsim.Config, spec armsim.ScaleSetSpec) *scene {
	c.Throttle = true
	if c.PageSize == 0 {
		c.PageSize = 100
	}
	if c.Seed == 0 {
		c.Seed = 1
	}
	b, err := newBubble(c, spec)
	require.NoError(t, err)
	s := &scene{bubble: b, t: t, out: &journal{}}
	s.poll = 5 * time.Second // fleeting has two, which takes most of a test's time
	s.max, s.log = 100, hclog.New(&hclog.LoggerOptions{Output: s.out, Level: hclog.Debug})
	return s
}

// inBothModes plays a scene in each orchestration mode.
func inBothModes(t *testing.T, c armsim.Config, spec armsim.ScaleSetSpec, play func(s *scene)) {
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			spec := spec // the modes run beside each other
			spec.OrchestrationMode = mode
			inBubble(t, c, spec, play)
		})
	}
}

// wait sleeps until something has come about.
func (s *scene) wait(what string, limit time.Duration, done func() error) {
	s.t.Helper()
	err := errors.New("not tried")
	for begun := time.Now(); err != nil && time.Since(begun) <= limit; time.Sleep(time.Second) {
		if err = done(); err == nil {
			return
		}
	}
	require.NoError(s.t, err, "%s after %s\n%s", what, limit, s.out)
}

// settle waits until the runner and Azure have the same n instances, all of
// them running, and nothing is under way.
func (s *scene) settle(n int) {
	s.t.Helper()
	s.wait("not settled", settleLimit, func() error {
		if err := (&model{bubble: s.bubble}).settled(); err != nil {
			return err
		}
		if found := s.sim.Stats().Running; found != n {
			return errors.New("not the wanted number of instances")
		}
		return nil
	})
	require.Len(s.t, s.running(), n)
}

// request asks for instances and waits until Azure runs them.
func (s *scene) request(n int) {
	s.t.Helper()
	before := len(s.sim.Instances())
	s.provisioner.Request(n)
	s.settle(before + n)
}

func (s *scene) running() []fleeting.Instance { return (&model{bubble: s.bubble}).running() }

// ids are those of all instances that the runner knows.
func (s *scene) ids() []string {
	var all []string
	for _, i := range s.provisioner.Instances() {
		all = append(all, i.ID())
	}
	slices.Sort(all)
	return all
}

func (s *scene) knows(id string) bool { return slices.Contains(s.ids(), id) }

// victims are the first n running instances, and their names on Azure.
func (s *scene) victims(n int) (victims []fleeting.Instance, names []string) {
	s.t.Helper()
	victims = s.running()
	require.GreaterOrEqual(s.t, len(victims), n)
	for _, v := range victims[:n] {
		names = append(names, s.find(v.ID()).Name)
	}
	return victims[:n], names
}

// find is Azure's view of an instance; none: the zero value.
func (s *scene) find(id string) armsim.InstanceInfo {
	all := s.sim.Instances()
	if n := slices.IndexFunc(all, func(i armsim.InstanceInfo) bool { return idOf(i) == id }); n >= 0 {
		return all[n]
	}
	return armsim.InstanceInfo{}
}

func (s *scene) exists(id string) bool { return s.find(id).Name != "" }

func (s *scene) fault(faults ...armsim.Fault) {
	s.t.Helper()
	require.NoError(s.t, s.sim.AddFaults(faults...))
}

// mark is a point in the simulator's journal.
func (s *scene) mark() int {
	all := s.sim.Journal()
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Seq
}

// calls are the requests of an operation since a mark; empty: of all.
func (s *scene) calls(mark int, operation string) []armsim.Entry {
	return slices.DeleteFunc(s.sim.Journal(), func(e armsim.Entry) bool {
		return e.Seq <= mark || operation != "" && e.Operation != operation
	})
}

// raises are the capacity writes since a mark.
func (s *scene) raises(mark int) []armsim.Entry {
	return slices.DeleteFunc(s.calls(mark, updateSet), func(e armsim.Entry) bool { return capacityOf(e) < 0 })
}

// goals are the capacities that Azure has accepted since a mark.
func (s *scene) goals(mark int) []int {
	var all []int
	for _, e := range s.raises(mark) {
		if e.Status == http.StatusOK {
			all = append(all, capacityOf(e))
		}
	}
	return all
}

// capacityOf is the capacity that a request writes; -1: none.
func capacityOf(e armsim.Entry) int {
	var body struct {
		SKU struct{ Capacity *int }
	}
	raw, err := json.Marshal(e.Body)
	if err != nil || json.Unmarshal(raw, &body) != nil || body.SKU.Capacity == nil {
		return -1
	}
	return *body.SKU.Capacity
}

// foreign carries out a request of somebody else.
func (s *scene) foreign(method, path string, body any) {
	s.t.Helper()
	require.NoError(s.t, s.sim.Do(s.t.Context(), method, path, "2025-04-01", body))
}

// journal is a log that may be read while it is written.
type journal struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write implements io.Writer.
func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.all.String()
}

// count is how many lines hold all of the texts.
func (j *journal) count(texts ...string) int {
	n := 0
	for line := range strings.Lines(j.String()) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			n++
		}
	}
	return n
}

// missingUnless is an error unless something has come.
func missingUnless(come bool) error {
	if come {
		return nil
	}
	return errors.New("not yet")
}

// ownerTag is the tag by which the plugin marks a scale set.
const ownerTag = "fleeting-plugin-azure"

// model is the scale set as Azure tells of it.
func (s *scene) model() string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.sim.Endpoint+s.sim.ScaleSetPath(scaleSetName)+"?api-version=2025-04-01", nil)
	require.NoError(s.t, err)
	token, err := s.sim.Token()
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := s.sim.Client().Do(r)
	require.NoError(s.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return string(raw)
}
