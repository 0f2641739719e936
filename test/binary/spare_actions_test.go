package binary_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// pluginBut is a plugin whose identity has the role that setup writes for a mode, but for
// an action; empty: all of it.
func pluginBut(t *testing.T, mode, left string) (*armsim.Server, *launch.Plugin) {
	t.Helper()
	s, env := siteOf(t, mode, slices.DeleteFunc(roleOf(t, mode), func(a string) bool { return a == left }))
	p := launch.Start(t, env, launch.ConfigFor(s, "ci"))
	p.Open(t)
	return s, p
}

// TestReasonOfACreationNeedsItsOperation: why Azure did not make what it had accepted is
// in the operation alone. Without that the plugin knows of no failure, and says so.
func TestReasonOfACreationNeedsItsOperation(t *testing.T) {
	t.Parallel()
	const reason, ended = "AllocationFailed", "an increase has ended"
	action := armops.ByName(armops.GetOperation).Action
	for mode := range modes {
		for name, left := range map[string]string{"whole role": "", "without": action} {
			t.Run(mode+"/"+name, func(t *testing.T) {
				t.Parallel()
				s, p := pluginBut(t, mode, left)
				require.NoError(t, s.AddFaults(faults.NeverMade(0, 1)))
				_, err := p.Increase(t.Context(), 1)
				require.NoError(t, err)
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					_, err := p.States(t)
					assert.NoError(c, err)
					assert.True(c, p.Log.Contains(ended))
				}, launch.Patience, launch.Tick)
				assert.Equal(t, left == "", p.Log.Contains(reason), p.Log)
				assert.Equal(t, left != "", p.Log.Contains("fix: assign the identity a role with the action "+action), p.Log)
			})
		}
	}
}

// TestDeletionOfSingleVMsNeedsItsAction: a Flexible set that refuses deletions of
// instances by list has them deleted as the VMs that they are.
func TestDeletionOfSingleVMsNeedsItsAction(t *testing.T) {
	t.Parallel()
	action := armops.ByName(armops.DeleteVirtualMachine).Action
	for name, left := range map[string]string{"whole role": "", "without": action} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := pluginBut(t, "Flexible", left)
			require.NoError(t, s.AddFaults(armsim.Fault{Name: "no batch deletion", Operation: faults.DeleteInstances, Effect: armsim.Effect{Error: &armsim.ErrorResponse{
				Status: http.StatusBadRequest, Code: "BadRequest", Message: "Operation 'VirtualMachineScaleSets.delete.POST' is not allowed on Virtual Machine Scale Set 'ci'.",
			}}}))
			_, err := p.Increase(t.Context(), 1)
			require.NoError(t, err)
			only := p.AwaitRunning(t, 1)
			_, err = p.Decrease(t.Context(), only)
			if left == "" {
				require.NoError(t, err)
				p.AwaitRunning(t, 0)
				assert.Empty(t, s.Instances())
				return
			}
			require.ErrorContains(t, err, "fix: assign the identity a role with the action "+action)
			states, err := p.States(t)
			require.NoError(t, err)
			assert.Equal(t, only, slices.Collect(maps.Keys(states)))
			assert.Len(t, s.Instances(), 1, "it costs on")
		})
	}
}
