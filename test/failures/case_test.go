package failures_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// hold keeps demand for n instances up for a while, as jobs that wait do, and returns
// how many ran at most.
func hold(r *rig.Rig, n int, d time.Duration) (most int) {
	for begun := time.Now(); time.Since(begun) < d; time.Sleep(10 * time.Second) {
		r.RequestUpTo(n)
		most = max(most, r.Sim.Stats().Running)
	}
	return most
}

// TestCase01ReplacedInTheOtherMode: a scale set that was deleted and made again in the
// other mode had 40 instances that the runner did not know after three hours.
func TestCase01ReplacedInTheOtherMode(t *testing.T) {
	for _, modes := range [][2]string{{"Uniform", "Flexible"}, {"Flexible", "Uniform"}} {
		t.Run(modes[1], func(t *testing.T) {
			rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{OrchestrationMode: modes[0], Capacity: 2}}, func(r *rig.Rig) {
				r.AwaitFleet(2)
				require.NoError(r, r.Replace(modes[1], 0))
				assert.LessOrEqual(r, hold(r, 4, 3*time.Hour), 4)
				assert.Len(r, r.Running(), 4, "it recovers without a restart")
				assert.Equal(r, 1, r.Output.Count("was deleted and created again"), "%s", r.Output)
			})
		})
	}
}

// TestCase05ModelDrifts: infrastructure as code undoes what Init asked for.
func TestCase05ModelDrifts(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig.Rig) {
		r.AwaitFleet(2)
		overprovision := func(on bool) {
			r.ExternalRequest(http.MethodPatch, r.Sim.ScaleSetPath(rig.ScaleSetName), map[string]any{"properties": map[string]any{"overprovision": on}})
		}
		overprovision(true)
		assert.Equal(r, 2, hold(r, 5, 30*time.Minute))
		assert.Equal(r, 1, r.Output.Count("increasing instances failure", "overprovisioning is on"), "%s", r.Output)
		overprovision(false)
		r.AwaitFleet(5)
	})
}

// TestCase02EmptyListForEver: an identity that may not read instances gets an empty
// list and no error.
func TestCase02EmptyListForEver(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{}, func(r *rig.Rig) {
		r.Inject(faults.List(armsim.ListEmpty))
		assert.LessOrEqual(r, hold(r, 4, 6*time.Hour), 4)
		assert.Equal(r, 1, r.Output.Count("[ERROR]", "are in no list"), "%s", r.Output)
	})
}

// TestCase04SlowImage: an image that is up after 40 minutes was removed after 25, time
// and again.
func TestCase04SlowImage(t *testing.T) {
	slow := armsim.Config{Boot: armsim.Duration{Median: 40 * time.Minute}}
	t.Run("by default", func(t *testing.T) {
		rig.Run(t, rig.Setup{Config: slow}, func(r *rig.Rig) {
			r.Provisioner.Request(1)
			time.Sleep(30 * time.Minute)
			assert.NotZero(r, r.Output.Count("creation_limit"), "the limit that removed it is named: %s", r.Output)
		})
	})
	t.Run("with a longer limit", func(t *testing.T) {
		rig.Run(t, rig.Setup{Config: slow, PluginConfig: map[string]any{"creation_limit": "50m"}}, func(r *rig.Rig) {
			r.ScaleOut(2)
			assert.Equal(r, 2, r.Sim.Stats().Created)
		})
	})
}

// TestCase08FewerFit: of nine instances four fit, and the refusal's words name no
// number. None came.
func TestCase08FewerFit(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{}, func(r *rig.Rig) {
		r.Inject(faults.NoRoom(4))
		assert.Equal(r, 4, hold(r, 9, 10*time.Minute))
		assert.Len(r, r.Running(), 4)
		assert.NotZero(r, r.Output.Count("SubnetIsFull"))
	})
}

// TestCase06StandbyPoolMembers: those of a standby pool were deleted or handed out. They
// are used from when the scale set takes them.
func TestCase06StandbyPoolMembers(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{OrchestrationMode: "Flexible", Capacity: 1}}, func(r *rig.Rig) {
		r.AwaitFleet(1)
		var members []string
		for _, running := range []bool{false, true} {
			name, err := r.Sim.AddStandbyVM(rig.ScaleSetName, running)
			require.NoError(r, err)
			members = append(members, name)
		}
		mark := r.Mark()
		time.Sleep(time.Hour)
		assert.Len(r, r.Provisioner.Instances(), 1)
		assert.Len(r, r.Sim.Instances(), 3)
		assert.Empty(r, r.WritesSince(mark))
		r.Provisioner.Request(2)
		for _, i := range r.AwaitFleet(3) {
			members = slices.DeleteFunc(members, func(name string) bool { return name == r.NameOf(i) })
		}
		assert.Empty(r, members, "the scale set has taken them")
	})
}
