package failures_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// TestWarmPoolServes: increases take from the pool first, which the runner never sees, and
// which outlives the process.
func TestWarmPoolServes(t *testing.T) {
	for name, unknowns := range map[string]armsim.Unknowns{
		"tags are kept": {InstanceTagsKept: true}, "Flexible one by one": {InstanceTagsKept: true, FlexibleBatchPowerRefused: true}, "no models in the list": {InstanceTagsKept: true, ExpandedListWithoutModel: true},
	} {
		t.Run(name, func(t *testing.T) {
			slow := armsim.Config{Unknowns: unknowns, Boot: armsim.Duration{Median: 4 * time.Minute}, Suspension: armsim.SuspensionTimes{Start: armsim.Duration{Median: 20 * time.Second}}}
			rig.RunBothModes(t, rig.Setup{Config: slow, MaxInstances: 4, Warm: 3}, func(r *rig.Rig) {
				r.AwaitWarm(0)
				assert.Equal(r, 3, r.Sim.Stats().Capacity)
				r.Crash()
				require.NoError(r, r.Restart())
				time.Sleep(2 * time.Hour)
				r.AwaitWarm(0)
				assert.Equal(r, 3, r.Sim.Stats().Created)
				r.Provisioner.Request(2)
				r.Await(90*time.Second, "running, which takes four minutes otherwise", func() bool { return len(r.Running()) == 2 })
				r.AwaitWarm(2)
				r.Provisioner.Request(2)
				r.AwaitWarm(4)
				assert.Equal(r, 7, r.Sim.Stats().Created, "max_instances is for the runner's")
				assert.NotZero(r, r.Output.Count("the warm pool serves an increase", "count=2"))
				require.NoError(r, r.Converge())
			})
		})
	}
}

// withMarks has instances keep the marks of a warm pool.
var withMarks = armsim.Config{Unknowns: armsim.Unknowns{InstanceTagsKept: true}}

// TestWarmPoolKilledAtEachStep: whatever the plugin does when it is killed, nothing is
// lost and nothing is used twice.
func TestWarmPoolKilledAtEachStep(t *testing.T) {
	for _, method := range []string{http.MethodPatch, http.MethodPut, http.MethodPost} {
		for n := range 4 {
			t.Run(fmt.Sprint(method, " ", n), func(t *testing.T) {
				rig.RunBothModes(t, rig.Setup{Config: withMarks, MaxInstances: 6, Warm: 2}, func(r *rig.Rig) {
					time.Sleep(time.Duration(n) * 40 * time.Second)
					if n == 3 {
						r.AwaitWarm(0)
					}
					r.Conn.DieDuring(method)
					if n >= 2 {
						r.Provisioner.Request(n)
					}
					time.Sleep(5 * time.Minute)
					require.NoError(r, r.Revive())
					r.Provisioner.Request(1)
					require.NoError(r, r.Converge())
				})
			})
		}
	}
}

// TestWarmPoolAmongTrouble: what cannot be started is replaced, and the runner gets as many
// as it asked for.
func TestWarmPoolAmongTrouble(t *testing.T) {
	for name, f := range map[string]armsim.Fault{
		"starts fail later":   {Operation: "instance.start", Times: 1, Effect: armsim.Effect{Fail: faults.AllocationFailed}},
		"starts fail at once": faults.Times(faults.Refusal("no start", faults.Start, http.StatusConflict, 0, false), 3),
		"marks fail":          faults.Times(faults.Refusal("no mark", "VirtualMachine*s_Update", http.StatusInternalServerError, 0, false), 8),
	} {
		t.Run(name, func(t *testing.T) {
			rig.RunBothModes(t, rig.Setup{Warm: 2}, func(r *rig.Rig) {
				r.AwaitWarm(0)
				r.Inject(f)
				for range 40 {
					r.RequestUpTo(2)
					time.Sleep(10 * time.Second)
				}
				r.Sim.ClearFaults()
				r.AwaitWarm(2)
				require.NoError(r, r.Converge())
			})
		})
	}
}

// TestWarmPoolWithoutMarks: where instances keep no tags the pool is known to the process
// that has made it, and the next one replaces it.
func TestWarmPoolWithoutMarks(t *testing.T) {
	for name, unknowns := range map[string]armsim.Unknowns{
		"tags are lost": {}, "tags are refused": {InstanceTagsRefused: true}, "policies are, too": {InstanceTagsRefused: true, ProtectionRefused: true},
	} {
		t.Run(name, func(t *testing.T) { poolWithoutMarks(t, unknowns) })
	}
}

func poolWithoutMarks(t *testing.T, u armsim.Unknowns) {
	t.Helper()
	rig.Run(t, rig.Setup{Config: armsim.Config{Unknowns: u}, Warm: 2}, func(r *rig.Rig) {
		r.AwaitWarm(0)
		time.Sleep(2 * time.Hour)
		require.Equal(r, 2, r.Sim.Stats().Created)
		r.Provisioner.Request(1)
		r.AwaitWarm(1)
		before := r.Sim.Stats().Created
		r.Crash()
		require.NoError(r, r.Restart())
		r.Await(30*time.Minute, "replaced", func() bool { return r.Sim.Stats().Created == before+2 })
		r.AwaitWarm(1)
		assert.Equal(r, before+2, r.Sim.Stats().Created)
	})
}
