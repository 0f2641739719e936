package azure

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// These tests are of what fleeting demands of a plugin without saying so, or
// does to one. TestContractA, of errors over gRPC, is in contract_grpc_test.go.

// A request is pending until an instance is discovered. One that Azure accepted
// and never made would hold a seat and keep the runner in its hurry for ever.
func TestContractBLostCreation(t *testing.T) {
	inBothModes(t, rigSetup{}, func(r *rig) {
		r.fault(armsim.Fault{Operation: "instance.create", Times: 2, Effect: armsim.Effect{Absent: noCapacity}})
		r.provisioner.Request(3)
		r.await(time.Minute, "accepted", func() bool { return r.provisioner.Capacity().Pending+len(r.provisioner.Instances()) == 3 })
		r.await(3*time.Minute, "pending", func() bool { return r.provisioner.Capacity().Pending == 0 })
		r.fleet(1)
		assert.Contains(r, r.text.String(), "were accepted by Azure and never created")
	})
}

// Six updates without an instance kill it, which takes twelve seconds.
func TestContractCSixShortLists(t *testing.T) {
	bubbled(t, rigSetup{max: 6, spec: armsim.ScaleSetSpec{Capacity: 6}}, func(r *rig) {
		all := r.fleet(6)
		short := list(armsim.ListTruncate)
		short.Times = 8
		r.fault(short)
		r.provisioner.Request(1) // no room for it: the runner asks every two seconds
		mark := r.mark()
		time.Sleep(2 * time.Minute)
		require.GreaterOrEqual(r, len(r.since(mark, anyList)), 8)
		r.requireAlive(all)
	})
}

// rigHides leaves instances out of lists that the hook does not know yet.
type rigHides struct {
	mu    sync.Mutex
	names []string // shown; nil: all
}

func (h *rigHides) only(names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.names = names
}

func (h *rigHides) wire(under http.RoundTripper) http.RoundTripper {
	return rigRewrite(rigLists, func(body map[string]any) {
		h.mu.Lock()
		defer h.mu.Unlock()
		value, _ := body["value"].([]any)
		body["value"] = slices.DeleteFunc(value, func(v any) bool {
			return h.names != nil && !slices.Contains(h.names, fmt.Sprint(v.(map[string]any)["name"]))
		})
	})(under)
}

// One that comes after it was given up is a new one to fleeting, and is used.
func TestContractDLateArrivalAfterTombstone(t *testing.T) {
	h := &rigHides{}
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 1}, wire: h.wire}, func(r *rig) {
		r.fleet(1)
		h.only([]string{r.victim(0)})
		r.provisioner.Request(1)
		r.await(time.Minute, "accepted", func() bool { return r.provisioner.Capacity().Pending == 1 })
		require.Len(r, r.sim.Instances(), 2)
		time.Sleep(80 * time.Second)
		require.Equal(r, 1, r.provisioner.Capacity().Pending, "too early to give it up")
		r.await(2*time.Minute, "given up", func() bool { return r.provisioner.Capacity().Pending == 0 })
		h.only(nil)
		all := r.fleet(2)
		causes := []fleeting.Cause{all[0].Cause(), all[1].Cause()}
		assert.ElementsMatch(r, []fleeting.Cause{fleeting.CausePreexisted, fleeting.CauseUnexpected}, causes)
		assert.NoError(r, r.until("something is left", r.empty))
	})
}

// taskscaler knows nothing of an instance that never ran, and never removes it.
// Here it is dead at first sight, and the runner still waits for it.
func TestContractEFailedBeforeRunning(t *testing.T) {
	bubbled(t, rigSetup{config: armsim.Config{Boot: armsim.Duration{Median: time.Second}}}, func(r *rig) {
		r.fault(armsim.Fault{Operation: "instance.create", Times: 2, Effect: armsim.Effect{Fail: noCapacity}})
		r.provisioner.Request(2)
		r.await(time.Minute, "accepted", func() bool { return r.sim.Stats().Instances == 2 })
		r.fleet(0)
		assert.Zero(r, r.sim.Stats().Capacity)
		assert.NotContains(r, r.text.String(), "state=running")
	})
}

// Each instance's goroutine connects by itself, whatever else goes on.
func TestContractFConnectInfoAllAtOnce(t *testing.T) {
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 100}, config: armsim.Config{PageSize: 100}}, func(r *rig) {
		all := r.fleet(100)
		addresses := map[string]string{}
		for _, i := range r.sim.Instances() {
			addresses[idOf(i)] = i.PrivateAddress
		}
		var jobs sync.WaitGroup
		for _, i := range all {
			jobs.Go(func() {
				info, err := i.ConnectInfo(r.Context())
				assert.NoError(r, err)
				assert.Equal(r, addresses[i.ID()], info.InternalAddr)
			})
		}
		for range 3 {
			jobs.Go(func() { assert.NoError(r, r.plugin.Update(r.Context(), func(string, provider.State) {})) })
		}
		jobs.Wait()
	})
}

// fleeting gives no deadline: whatever hangs in the plugin, hangs the runner.
func TestContractGAzureHangs(t *testing.T) {
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
		all := r.fleet(3)
		time.Sleep(5 * time.Minute)
		r.fault(rigFor(fate("hung", "*", armsim.Effect{Delay: armsim.Span(time.Hour)}), 10*time.Minute))
		for name, call := range map[string]func() error{
			"Update":      func() error { return r.plugin.Update(r.Context(), func(string, provider.State) {}) },
			"Increase":    func() error { _, err := r.plugin.Increase(r.Context(), 1); return err },
			"Decrease":    func() error { _, err := r.plugin.Decrease(r.Context(), []string{"ci_99-01234567"}); return err },
			"ConnectInfo": func() error { _, err := r.plugin.ConnectInfo(r.Context(), all[0].ID()); return err },
			"Heartbeat":   func() error { return r.plugin.Heartbeat(r.Context(), all[0].ID()) },
		} {
			begun := time.Now()
			err := call()
			assert.LessOrEqual(r, time.Since(begun), 2*time.Minute, "%s: %v", name, err)
		}
		time.Sleep(10 * time.Minute)
		r.requireAlive(all)
		capacity := r.sim.Stats().Capacity // the hung write may count or not
		r.provisioner.Request(1)
		r.fleet(capacity + 1)
	})
}

// The runner's shutdown while a write is under way, and then SIGKILL: nothing is
// made twice, and what comes is found again.
func TestContractHShutdownDuringAWrite(t *testing.T) {
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 1}}, func(r *rig) {
		r.fleet(1)
		r.fault(fate("slow", updateSet, armsim.Effect{Delay: armsim.Span(20 * time.Second)}))
		time.Sleep(3 * time.Minute)
		mark := r.mark()
		r.provisioner.Request(3)
		r.await(2*time.Minute, "write", func() bool { return len(r.writes(mark)) == 1 })
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		r.provisioner.Shutdown(ctx)
		assert.LessOrEqual(r, time.Since(begun), 12*time.Second)
		time.Sleep(2 * time.Second)
		r.crash()
		r.sim.ClearFaults()
		require.NoError(r, r.restart())
		r.fleet(4)
		assert.Equal(r, 4, r.sim.Stats().Created)
	})
}

// After a restart the runner removes what it has no record of, all at once, and
// asks for others at the same time.
func TestContractIRestartWithFifty(t *testing.T) {
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 50}}, func(r *rig) {
		before := r.fleet(50)
		r.crash()
		require.NoError(r, r.restart())
		after := r.fleet(50)
		mark := r.mark()
		for n, i := range after {
			assert.Equal(r, before[n].ID(), i.ID())
			assert.Equal(r, fleeting.CausePreexisted, i.Cause())
			i.Delete()
		}
		r.provisioner.Request(5)
		r.fleet(5)
		assert.LessOrEqual(r, len(r.since(mark, deleteBatch)), 2)
		assert.Equal(r, 55, r.sim.Stats().Created)
	})
}

// max_instances of 0 means what the plugin allows, and more than that is refused.
// A fleet that is above it already is let be.
func TestContractJMaxSize(t *testing.T) {
	for _, c := range []struct{ max, want int }{{0, 1000}, {1000, 1000}, {8, 8}, {1001, 0}} {
		t.Run(fmt.Sprint(c.max), func(t *testing.T) {
			bubbled(t, rigSetup{asleep: true}, func(r *rig) {
				r.max = c.max
				err := r.start()
				if c.want == 0 {
					require.ErrorIs(r, err, fleeting.ErrMaxSizeExceedsInstanceGroupMax)
					return
				}
				require.NoError(r, err)
				assert.Equal(r, c.want, r.provisioner.Capacity().Max)
			})
		})
	}
	t.Run("capacity above it", func(t *testing.T) {
		bubbled(t, rigSetup{max: 4, spec: armsim.ScaleSetSpec{Capacity: 6}}, func(r *rig) {
			all := r.fleet(6)
			r.provisioner.Request(1)
			time.Sleep(10 * time.Minute)
			r.requireAlive(all)
			require.Equal(r, 6, r.sim.Stats().Capacity)
			r.finish(3)
			r.fleet(4)
		})
	})
}

// A scale set that is deleted and made again under its name counts from 0 again:
// no old ID is one of the new instances.
func TestContractKRecreatedScaleSet(t *testing.T) {
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
		old := r.fleet(3)
		r.dropSet()
		r.await(5*time.Minute, "gone", func() bool { return len(r.sim.Instances()) == 0 })
		time.Sleep(5 * time.Minute)
		r.makeSet(3)
		r.watch.mu.Lock()
		clear(r.watch.ill) // the names are those of others now
		r.watch.mu.Unlock()
		time.Sleep(5 * time.Minute)
		fresh := r.fleet(3)
		for n := range old {
			assert.NotEqual(r, provider.StateRunning, old[n].State())
			assert.False(r, slices.ContainsFunc(fresh, func(i fleeting.Instance) bool { return i.ID() == old[n].ID() }))
		}
		done, err := r.plugin.Decrease(r.Context(), []string{old[0].ID()})
		require.NoError(r, err)
		assert.Equal(r, []string{old[0].ID()}, done)
		r.provisioner.Request(1)
		r.fleet(4)
		r.requireAlive(fresh)
	})
}

// What Update has told before it failed sticks: it tells nothing before it has
// read everything.
func TestContractLUpdateFailsMidway(t *testing.T) {
	bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 7}, config: armsim.Config{PageSize: 3}}, func(r *rig) {
		r.fleet(7)
		time.Sleep(5*time.Minute + time.Second/2) // between the updates of the runner, which would meet the faults
		page := refusal("third page", anyList, http.StatusForbidden, 0, false)
		page.Skip = 2
		for _, f := range []armsim.Fault{page, refusal("no addresses", interfaces, http.StatusForbidden, 0, false)} {
			g := r.bare() // which has to read all of it
			r.fault(f)
			err := g.Update(r.Context(), func(id string, _ provider.State) { r.Errorf("%s: told of %s", f.Name, id) })
			require.ErrorContains(r, err, "AuthorizationFailed", f.Name)
			r.sim.ClearFaults()
			told := 0
			require.NoError(r, g.Update(r.Context(), func(string, provider.State) { told++ }))
			assert.Equal(r, 7, told)
		}
	})
}
