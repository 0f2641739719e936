package fleeting_test

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
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// These tests are of what fleeting demands of a plugin without saying so, or
// does to one. TestContractA, of errors over gRPC, is in grpc_test.go.

// A request is pending until an instance is discovered. One that Azure accepted
// and never made would hold a seat and keep the runner in its hurry for ever.
func TestContractBLostCreation(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{}, func(r *rig.Rig) {
		r.Inject(faults.NeverMade(0, 2))
		r.Provisioner.Request(3)
		r.Await(time.Minute, "accepted", func() bool { return r.Provisioner.Capacity().Pending+len(r.Provisioner.Instances()) == 3 })
		r.Await(3*time.Minute, "pending", func() bool { return r.Provisioner.Capacity().Pending == 0 })
		r.AwaitFleet(1)
		assert.Contains(r, r.Output.String(), "were accepted by Azure and never created")
	})
}

// Six updates without an instance kill it, which takes twelve seconds.
func TestContractCSixShortLists(t *testing.T) {
	rig.Run(t, rig.Setup{MaxInstances: 6, Spec: armsim.ScaleSetSpec{Capacity: 6}}, func(r *rig.Rig) {
		all := r.AwaitFleet(6)
		short := faults.List(armsim.ListTruncate)
		short.Times = 8
		r.Inject(short)
		r.Provisioner.Request(1) // no room for it: the runner asks every two seconds
		mark := r.Mark()
		time.Sleep(2 * time.Minute)
		require.GreaterOrEqual(r, len(r.RequestsSince(mark, faults.AnyList)), 8)
		r.RequireRunning(all)
	})
}

// hiddenInstances leaves instances out of lists that the hook does not know yet.
type hiddenInstances struct {
	mu    sync.Mutex
	names []string // shown; nil: all
}

func (h *hiddenInstances) only(names []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.names = names
}

func (h *hiddenInstances) middleware(under http.RoundTripper) http.RoundTripper {
	return rig.RewriteResponses(rig.IsInstanceList, func(body map[string]any) {
		h.mu.Lock()
		defer h.mu.Unlock()
		value, _ := body["value"].([]any)
		body["value"] = slices.DeleteFunc(value, func(v any) bool {
			return h.names != nil && !slices.Contains(h.names, fmt.Sprint(v.(map[string]any)["name"]))
		})
	})(under)
}

// One that the capacity counts and no list shows is waited for, however long.
func TestContractDHiddenIsNotGivenUp(t *testing.T) {
	h := &hiddenInstances{}
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 1}, Middleware: h.middleware}, func(r *rig.Rig) {
		r.AwaitFleet(1)
		h.only([]string{r.InstanceName(0)})
		r.Provisioner.Request(1)
		r.Await(time.Minute, "accepted", func() bool { return r.Provisioner.Capacity().Pending == 1 })
		time.Sleep(time.Hour)
		r.Provisioner.Request(5)
		time.Sleep(time.Hour)
		require.Len(r, r.Sim.Instances(), 2, "nothing is increased before that adds up")
		assert.Equal(r, 1, r.Output.Count("increasing instances failure", "are in no list"))
		h.only(nil)
		r.AwaitFleet(7)
	})
}

// One that comes after it was given up, as its operation failed, is a new one to
// fleeting, and is used.
func TestContractDLateArrivalAfterTombstone(t *testing.T) {
	h := &hiddenInstances{}
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 1}, Middleware: h.middleware}, func(r *rig.Rig) {
		r.AwaitFleet(1)
		h.only([]string{r.InstanceName(0)})
		r.OperationsLie = true
		r.Inject(faults.Times(faults.WithEffect("fails", faults.UpdateScaleSet, armsim.Effect{FailOperation: faults.AllocationFailed}), 1))
		r.Provisioner.Request(1)
		r.Await(time.Minute, "accepted", func() bool { return r.Provisioner.Capacity().Pending == 1 })
		require.Len(r, r.Sim.Instances(), 2)
		r.Await(4*time.Minute, "given up", func() bool { return r.Provisioner.Capacity().Pending == 0 })
		h.only(nil)
		all := r.AwaitFleet(2)
		causes := []fleeting.Cause{all[0].Cause(), all[1].Cause()}
		assert.ElementsMatch(r, []fleeting.Cause{fleeting.CausePreexisted, fleeting.CauseUnexpected}, causes)
		assert.NoError(r, r.Until("something is left", r.Empty))
	})
}

// taskscaler knows nothing of an instance that never ran, and never removes it.
// Here it is dead at first sight, and the runner still waits for it.
func TestContractEFailedBeforeRunning(t *testing.T) {
	rig.Run(t, rig.Setup{Config: armsim.Config{Boot: armsim.Duration{Median: time.Second}}}, func(r *rig.Rig) {
		r.Inject(armsim.Fault{Operation: "instance.create", Times: 2, Effect: armsim.Effect{Fail: faults.AllocationFailed}})
		r.Provisioner.Request(2)
		r.Await(time.Minute, "accepted", func() bool { return r.Sim.Stats().Instances == 2 })
		r.AwaitFleet(0)
		assert.Zero(r, r.Sim.Stats().Capacity)
		assert.NotContains(r, r.Output.String(), "state=running")
	})
}

// Each instance's goroutine connects by itself, whatever else goes on.
func TestContractFConnectInfoAllAtOnce(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 100}, Config: armsim.Config{PageSize: 100}}, func(r *rig.Rig) {
		all := r.AwaitFleet(100)
		addresses := map[string]string{}
		for _, i := range r.Sim.Instances() {
			addresses[rig.InstanceID(i)] = i.PrivateAddress
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
			jobs.Go(func() { assert.NoError(r, r.Plugin.Update(r.Context(), func(string, provider.State) {})) })
		}
		jobs.Wait()
	})
}

// fleeting gives no deadline: whatever hangs in the plugin, hangs the runner.
func TestContractGAzureHangs(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		all := r.AwaitFleet(3)
		time.Sleep(5 * time.Minute)
		r.Inject(faults.For(faults.WithEffect("hung", "*", armsim.Effect{Delay: armsim.Span(time.Hour)}), 10*time.Minute))
		for name, call := range map[string]func() error{
			"Update":      func() error { return r.Plugin.Update(r.Context(), func(string, provider.State) {}) },
			"Increase":    func() error { _, err := r.Plugin.Increase(r.Context(), 1); return err },
			"Decrease":    func() error { _, err := r.Plugin.Decrease(r.Context(), []string{"ci_99-01234567"}); return err },
			"ConnectInfo": func() error { _, err := r.Plugin.ConnectInfo(r.Context(), all[0].ID()); return err },
			"Heartbeat":   func() error { return r.Plugin.Heartbeat(r.Context(), all[0].ID()) },
		} {
			begun := time.Now()
			err := call()
			assert.LessOrEqual(r, time.Since(begun), 2*time.Minute, "%s: %v", name, err)
		}
		time.Sleep(10 * time.Minute)
		r.RequireRunning(all)
		capacity := r.Sim.Stats().Capacity // the hung write may count or not
		r.Provisioner.Request(1)
		r.AwaitFleet(capacity + 1)
	})
}

// The runner's shutdown while a write is under way, and then SIGKILL: nothing is
// made twice, and what comes is found again.
func TestContractHShutdownDuringAWrite(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 1}}, func(r *rig.Rig) {
		r.AwaitFleet(1)
		r.Inject(faults.WithEffect("slow", faults.UpdateScaleSet, armsim.Effect{Delay: armsim.Span(20 * time.Second)}))
		time.Sleep(3 * time.Minute)
		mark := r.Mark()
		r.Provisioner.Request(3)
		r.Await(2*time.Minute, "write", func() bool { return len(r.WritesSince(mark)) == 1 })
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		begun := time.Now()
		r.Provisioner.Shutdown(ctx)
		assert.LessOrEqual(r, time.Since(begun), 12*time.Second)
		time.Sleep(2 * time.Second)
		r.Crash()
		r.Sim.ClearFaults()
		require.NoError(r, r.Restart())
		r.AwaitFleet(4)
		assert.Equal(r, 4, r.Sim.Stats().Created)
	})
}

// After a restart the runner removes what it has no record of, all at once, and
// asks for others at the same time.
func TestContractIRestartWithFifty(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 50}}, func(r *rig.Rig) {
		before := r.AwaitFleet(50)
		r.Crash()
		require.NoError(r, r.Restart())
		after := r.AwaitFleet(50)
		mark := r.Mark()
		for n, i := range after {
			assert.Equal(r, before[n].ID(), i.ID())
			assert.Equal(r, fleeting.CausePreexisted, i.Cause())
			i.Delete()
		}
		r.Provisioner.Request(5)
		r.AwaitFleet(5)
		assert.LessOrEqual(r, len(r.RequestsSince(mark, faults.DeleteInstances)), 2)
		assert.Equal(r, 55, r.Sim.Stats().Created)
	})
}

// max_instances of 0 means what the plugin allows, and more than that is refused.
// A fleet that is above it already is let be.
func TestContractJMaxSize(t *testing.T) {
	for _, c := range []struct{ max, want int }{{0, 1000}, {1000, 1000}, {8, 8}, {1001, 0}} {
		t.Run(fmt.Sprint(c.max), func(t *testing.T) {
			rig.Run(t, rig.Setup{NotStarted: true}, func(r *rig.Rig) {
				r.MaxInstances = c.max
				err := r.Start()
				if c.want == 0 {
					require.ErrorIs(r, err, fleeting.ErrMaxSizeExceedsInstanceGroupMax)
					return
				}
				require.NoError(r, err)
				assert.Equal(r, c.want, r.Provisioner.Capacity().Max)
			})
		})
	}
	t.Run("capacity above it", func(t *testing.T) {
		rig.Run(t, rig.Setup{MaxInstances: 4, Spec: armsim.ScaleSetSpec{Capacity: 6}}, func(r *rig.Rig) {
			all := r.AwaitFleet(6)
			r.Provisioner.Request(1)
			time.Sleep(10 * time.Minute)
			r.RequireRunning(all)
			require.Equal(r, 6, r.Sim.Stats().Capacity)
			r.FinishJobs(3)
			r.AwaitFleet(4)
		})
	})
}

// A scale set that is deleted and made again under its name counts from 0 again:
// no old ID is one of the new instances.
func TestContractKRecreatedScaleSet(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		old := r.AwaitFleet(3)
		r.DeleteScaleSet()
		r.Await(5*time.Minute, "gone", func() bool { return len(r.Sim.Instances()) == 0 })
		time.Sleep(5 * time.Minute)
		r.CreateScaleSet(3)
		r.Invariants.ForgetUnhealthy() // the names are those of others now
		time.Sleep(5 * time.Minute)
		fresh := r.AwaitFleet(3)
		for n := range old {
			assert.NotEqual(r, provider.StateRunning, old[n].State())
			assert.False(r, slices.ContainsFunc(fresh, func(i fleeting.Instance) bool { return i.ID() == old[n].ID() }))
		}
		done, err := r.Plugin.Decrease(r.Context(), []string{old[0].ID()})
		require.NoError(r, err)
		assert.Equal(r, []string{old[0].ID()}, done)
		r.Provisioner.Request(1)
		r.AwaitFleet(4)
		r.RequireRunning(fresh)
	})
}

// What Update has told before it failed sticks: it tells nothing before it has
// read everything.
func TestContractLUpdateFailsMidway(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 7}, Config: armsim.Config{PageSize: 3}}, func(r *rig.Rig) {
		r.AwaitFleet(7)
		time.Sleep(5*time.Minute + time.Second/2) // between the updates of the runner, which would meet the faults
		page := faults.Refusal("third page", faults.AnyList, http.StatusForbidden, 0, false)
		page.Skip = 2
		for _, f := range []armsim.Fault{page, faults.Refusal("no addresses", faults.Interfaces, http.StatusForbidden, 0, false)} {
			g := r.NewPlugin() // which has to read all of it
			r.Inject(f)
			err := g.Update(r.Context(), func(id string, _ provider.State) { r.Errorf("%s: told of %s", f.Name, id) })
			require.ErrorContains(r, err, "AuthorizationFailed", f.Name)
			r.Sim.ClearFaults()
			told := 0
			require.NoError(r, g.Update(r.Context(), func(string, provider.State) { told++ }))
			assert.Equal(r, 7, told)
		}
	})
}

// At its shutdown fleeting updates alongside its own loop: an older view must not
// be reported after a newer one.
func TestUpdatesDoNotOverlap(t *testing.T) {
	var hook rig.Hook
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 1}, Middleware: hook.Before(rig.IsInstanceList)}, func(r *rig.Rig) {
		r.AwaitFleet(1)
		hook.Set(func() {
			ctx, cancel := context.WithTimeout(r.Context(), time.Second)
			defer cancel()
			err := r.Plugin.Update(ctx, func(string, provider.State) { r.Error("an update alongside another one") })
			assert.EqualError(r, err, "update: context deadline exceeded", "it has waited for its turn")
		})
		time.Sleep(5 * time.Minute)
		assert.Nil(r, hook.Load(), "an update has listed")
	})
}
