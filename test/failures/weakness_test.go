package failures_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// These are the weaknesses of an older autoscaler for scale sets (the azure-vmss
// plugin of hashicorp/nomad-autoscaler, read in July 2026), each as a test of
// this plugin. The failures F01 to F42 overlap with them.

// It compared its target with the running instances, and wrote it: with three of
// five running, "out to four" let Azure remove one of them.
func TestWeakness01RunningCountTakenForTheCapacity(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 5}}, func(r *rig.Rig) {
		all := r.AwaitFleet(5)
		time.Sleep(5 * time.Minute)
		r.Disrupt(r.NameOf(all[0]), r.Sim.Kill)
		r.Disrupt(r.NameOf(all[1]), r.Sim.Kill)
		mark := r.Mark()
		n, err := r.Plugin.Increase(r.Context(), 1)
		require.NoError(r, err)
		require.Equal(r, 1, n)
		assert.Equal(r, 6, rig.CapacityOf(r.WritesSince(mark)[0].Body))
		r.AwaitFleet(4)
		r.RequireRunning(all[2:])
	})
}

// It wrote "performed and verified" into its log after the first poll, and never
// saw an operation fail.
func TestWeakness02FailedOperationIsNeverSeen(t *testing.T) {
	rig.Run(t, rig.Setup{}, func(r *rig.Rig) {
		r.Inject(faults.NeverMade(0, 0))
		n, err := r.Plugin.Increase(r.Context(), 2)
		require.NoError(r, err)
		require.Equal(r, 2, n, "accepted is not done")
		time.Sleep(5 * time.Minute)
		_, err = r.Plugin.Increase(r.Context(), 1)
		require.ErrorContains(r, err, "AllocationFailed")
		assert.ErrorContains(r, err, "fix: ")
		assert.Contains(r, r.Output.String(), "[ERROR] instances did not come up")
	})
}

// It could sign in with a client secret only, to the public cloud only, and had
// no seam for a test. A bubble is a cloud of its own behind such a seam.
func TestWeakness03OneCredentialAndOneCloud(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 1}}, func(r *rig.Rig) { r.AwaitFleet(1) })
}

func TestWeakness03CredentialsAndClouds(t *testing.T) {
	t.Parallel()
	base := `{"name":"ci","resource_group_name":"ci","subscription_id":"` + armsim.DefaultSubscriptionID + `"`
	for _, more := range []string{
		`"credential":"managed_identity"`, `"credential":"workload_identity"`, `"credential":"azure_cli"`, `"credential":"environment"`,
		`"credential":"default"`, `"cloud":"AzureUSGovernment"`, `"cloud":"AzureChina"`,
	} {
		_, err := config.Parse([]byte(base+","+more+"}"), func(key string) string {
			return map[string]string{"AZURE_TENANT_ID": armsim.DefaultTenantID, "AZURE_CLIENT_ID": armsim.DefaultClientID, "AZURE_FEDERATED_TOKEN_FILE": "/token"}[key]
		})
		assert.NoError(t, err, more)
	}
}

// Its calls had neither a deadline nor an end at shutdown.
func TestWeakness04NoDeadlineAndNoShutdown(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 1}}, func(r *rig.Rig) {
		r.AwaitFleet(1)
		time.Sleep(5 * time.Minute)
		r.Inject(faults.For(faults.WithEffect("hung", "*", armsim.Effect{Delay: armsim.Span(time.Hour)}), 10*time.Minute))
		begun := time.Now()
		_, err := r.Plugin.Increase(r.Context(), 1)
		require.ErrorContains(r, err, "request timed out")
		assert.LessOrEqual(r, time.Since(begun), time.Minute)
		r.Sim.ClearFaults()
		time.Sleep(2 * time.Minute)
		require.NoError(r, r.Plugin.Shutdown(r.Context()))
		mark := r.Mark()
		_, err = r.Plugin.Increase(r.Context(), 1)
		require.ErrorContains(r, err, "shutting down")
		assert.Empty(r, r.WritesSince(mark))
	})
}

// All errors were one to it, and two writers overwrote each other.
func TestWeakness05ErrorsAreAllAlike(t *testing.T) {
	for want, e := range map[string]armsim.ErrorResponse{
		"check name, resource_group_name": {Status: 404},
		"role":                            {Status: 403, Message: "The client does not have authorization to perform action 'Microsoft.Compute/virtualMachineScaleSets/write' over scope '/x'."},
		"request more vCPUs":              {Status: 409, Code: "OperationNotAllowed", Message: "Operation could not be completed as it results in exceeding approved Total Regional Cores quota."},
		"try later, or another VM size":   {Status: 409, Code: "AllocationFailed"},
		"":                                {Status: 429}, // no error at all: it is waited for
	} {
		t.Run(want, func(t *testing.T) {
			rig.Run(t, rig.Setup{}, func(r *rig.Rig) {
				time.Sleep(5 * time.Minute)
				r.Inject(armsim.Fault{Operation: faults.UpdateScaleSet, Effect: armsim.Effect{Error: &e}})
				n, err := r.Plugin.Increase(r.Context(), 1)
				require.Zero(r, n)
				if want == "" {
					require.NoError(r, err)
					return
				}
				require.ErrorContains(r, err, want)
			})
		})
	}
}

func TestWeakness05TwoWritersOverwriteEachOther(t *testing.T) {
	var hook rig.Hook
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 1}, Middleware: hook.Before(rig.HasMethod(http.MethodPatch))}, func(r *rig.Rig) {
		r.AwaitFleet(1)
		time.Sleep(5 * time.Minute)
		hook.Set(func() { assert.NoError(r, r.Sim.Raise(rig.ScaleSetName, 2)) })
		mark := r.Mark()
		r.Provisioner.Request(2)
		r.AwaitFleet(5)
		assert.Equal(r, http.StatusPreconditionFailed, r.WritesSince(mark)[0].Status)
		assert.Equal(r, http.StatusOK, r.WritesSince(mark)[1].Status)
	})
}

// A status of N instances of a Flexible scale set took 2 + 2N calls, and an error
// on one of them lowered the count.
func TestWeakness06CallsForEachInstance(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{OrchestrationMode: "Flexible", Capacity: 20}}, func(r *rig.Rig) {
		all := r.AwaitFleet(20)
		r.Inject(faults.Refusal("each", "VirtualMachines_Get", http.StatusForbidden, 0, false))
		time.Sleep(5*time.Minute + time.Second/2) // not along with an update of the runner
		mark := r.Mark()
		told := 0
		require.NoError(r, r.Plugin.Update(r.Context(), func(string, provider.State) { told++ }))
		assert.Equal(r, 20, told)
		assert.Len(r, r.RequestsSince(mark, "*"), 1)
		r.RequireRunning(all)
	})
}

// It could scale only after it was asked for a status, and kept what that found
// for all scale sets together.
func TestWeakness07StateOfAnotherCallOrScaleSet(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig.Rig) {
		all := r.AwaitFleet(2)
		time.Sleep(5 * time.Minute)
		r.Invariants.ExpectDeletion(all[0].ID())
		done, err := r.NewPlugin().Decrease(r.Context(), []string{all[0].ID()}) // no Update before
		require.NoError(r, err)
		assert.Equal(r, []string{all[0].ID()}, done)
		n, err := r.NewPlugin().Increase(r.Context(), 1)
		require.NoError(r, err)
		assert.Equal(r, 1, n)
		r.AwaitFleet(2)
		r.RequireRunning(all[1:])
	})
}

// It took each VM whose name began with the scale set's for its own, and an ID
// that ended in "_" for an empty one.
func TestWeakness08OwnershipByNamePrefix(t *testing.T) {
	overlooked := func(under http.RoundTripper) http.RoundTripper { // Azure lists all VMs of the resource group
		return rig.RoundTripper(func(q *http.Request) (*http.Response, error) {
			q = q.Clone(q.Context())
			query := q.URL.Query()
			query.Del("$filter")
			q.URL.RawQuery = query.Encode()
			return under.RoundTrip(q)
		})
	}
	rig.RunBothModes(t, rig.Setup{Middleware: overlooked, Spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig.Rig) {
		_, err := r.Sim.CreateScaleSet(r.Context(), armsim.ScaleSetSpec{Name: "CI2", OrchestrationMode: r.Spec.OrchestrationMode, Capacity: 3})
		require.NoError(r, err)
		time.Sleep(5 * time.Minute)
		var others, ours []string
		for _, i := range r.Sim.Instances() {
			if i.ScaleSet == "CI2" {
				others = append(others, rig.InstanceID(i), i.Name)
			}
		}
		for _, i := range r.Provisioner.Instances() {
			ours = append(ours, i.ID())
		}
		require.Len(r, ours, 2)
		assert.NotSubset(r, others, ours)
		asked := append(slices.Clone(others), "ci_", "ci_-", "_", "CI_", "ci2_")
		mark := r.Mark()
		done, err := r.Plugin.Decrease(r.Context(), asked)
		require.NoError(r, err)
		assert.ElementsMatch(r, asked, done, "there is none of them in this scale set")
		assert.Empty(r, r.WritesSince(mark))
		assert.Len(r, r.Sim.Instances(), 5)
	})
}

// A scale set in the state Failed could not be scaled any more, and instances
// that did not run were never deleted.
func TestWeakness09FailedScaleSetIsStuck(t *testing.T) {
	rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
		r.AwaitFleet(3)
		r.Inject(armsim.Fault{Operation: faults.UpdateScaleSet, Times: 1, Effect: armsim.Effect{FailOperation: faults.AllocationFailed}})
		r.Provisioner.Request(1)
		r.AwaitFleet(4)
		require.Contains(r, r.ScaleSet(), `"provisioningState":"Failed"`, "or nothing is proved")
		mark := r.Mark()
		n, err := r.Plugin.Increase(r.Context(), 1)
		require.NoError(r, err)
		require.Equal(r, 1, n, "%v", r.RequestsSince(mark, "*"))
		all := r.AwaitFleet(5)
		r.Disrupt(r.NameOf(all[0]), r.Sim.Kill)
		r.AwaitFleet(4)
	})
}

// What it had drained stayed drained when the deletion failed. Here an instance
// is the runner's until Azure has accepted, and the plugin's until it is gone.
func TestWeakness10FailedDeletionLeavesItNeitherUsedNorGone(t *testing.T) {
	for name, f := range map[string]armsim.Fault{
		"refused":   faults.For(faults.Refusal("f", faults.DeleteInstances, http.StatusConflict, 0, false), 3*time.Minute),
		"no answer": faults.For(faults.Cut("f", faults.DeleteInstances, armsim.CutBefore), 3*time.Minute),
		"comes to nothing": {Operation: "instance.delete", Times: 2, Effect: armsim.Effect{
			Fail: &armsim.Failure{Code: "InternalExecutionError"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
				all := r.AwaitFleet(3)
				r.Inject(f)
				all[0].Delete()
				all[1].Delete()
				r.AwaitFleet(1)
				r.RequireRunning(all[2:])
				assert.Equal(r, 1, r.Sim.Stats().Capacity)
			})
		})
	}
}

// It dereferenced what Azure may leave out, and logged addresses of memory.
func TestWeakness11NothingIsCheckedForNil(t *testing.T) {
	for _, path := range []string{"sku", "sku.capacity", "properties", "properties.orchestrationMode", "etag", "tags", "properties.virtualMachineProfile"} {
		t.Run(path, func(t *testing.T) {
			rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 2}}, func(r *rig.Rig) {
				r.AwaitFleet(2)
				r.Inject(faults.For(faults.WithEffect("f", faults.GetScaleSet, armsim.Effect{Omit: []string{path}}), 5*time.Minute))
				r.Crash()
				if err := r.Restart(); err != nil {
					assert.NotContains(r, err.Error(), "nil pointer")
				}
				r.Provisioner.Request(1)
				r.AwaitFleet(3)
				assert.False(r, strings.Contains(r.Output.String(), "0xc0"), "an address of memory in the log")
			})
		})
	}
}
