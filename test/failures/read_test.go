package failures_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
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

// kubernetes/autoscaler#2817, #3270: polling ate the request limits, and
// repetitions prolonged the block. Here the runner asks every two seconds for
// half an hour, as it does with demand that it cannot meet. The limit counts pages.
func TestF24PollingEatsTheRequestLimit(t *testing.T) {
	rig.Run(t, rig.Setup{MaxInstances: 8, Spec: armsim.ScaleSetSpec{Capacity: 8}, Config: armsim.Config{PageSize: 4}}, func(r *rig.Rig) {
		all := r.AwaitFleet(8)
		r.Provisioner.Request(1) // there is no room for it
		mark, begun := r.Mark(), time.Now()
		time.Sleep(30 * time.Minute)
		lists := r.RequestsSince(mark, faults.AnyList)
		assert.LessOrEqual(r, len(lists), 30+300, "30 at once and 10 a minute")
		last := begun
		for _, e := range lists {
			assert.Less(r, e.Time.Sub(last), time.Minute, "and what the runner sees is fresh")
			last = e.Time
		}
		for _, e := range r.RequestsSince(mark, "*") {
			require.NotEqual(r, http.StatusTooManyRequests, e.Status, "%s", e.Operation)
		}
		r.RequireRunning(all)
	})
}

// Azure/AKS#1187, #1413: a neighbour in the subscription ate the limit. What
// Azure asks to wait is waited for, with one request to see whether it is over.
func TestF24ANeighbourEatsTheRequestLimit(t *testing.T) {
	rig.Run(t, rig.Setup{MaxInstances: 8, Spec: armsim.ScaleSetSpec{Capacity: 8}}, func(r *rig.Rig) {
		all := r.AwaitFleet(8)
		r.Provisioner.Request(1)
		time.Sleep(10 * time.Second)
		r.Inject(faults.For(faults.Refusal("neighbour", faults.AnyList, http.StatusTooManyRequests, 1200, false), 21*time.Minute))
		mark := r.Mark()
		time.Sleep(45 * time.Minute)
		var refused []time.Time
		lists := r.RequestsSince(mark, faults.AnyList)
		for _, e := range lists {
			if e.Status == http.StatusTooManyRequests {
				refused = append(refused, e.Time)
			}
		}
		require.Len(r, refused, 2)
		assert.GreaterOrEqual(r, refused[1].Sub(refused[0]), 1200*time.Second)
		after := slices.IndexFunc(lists, func(e armsim.Entry) bool { return e.Time.After(refused[1]) })
		require.Positive(r, after, "it asks again when Azure answers again")
		assert.GreaterOrEqual(r, lists[after].Time.Sub(refused[1]), 1200*time.Second)
		r.RequireRunning(all)
		assert.Contains(r, r.Output.String(), "the last complete view serves")
	})
}

// failingPage responds with an error from the second page on, while on is set.
func failingPage(status int, code string, on *atomic.Bool) func(http.RoundTripper) http.RoundTripper {
	return func(under http.RoundTripper) http.RoundTripper {
		return rig.RoundTripper(func(q *http.Request) (*http.Response, error) {
			if rig.IsLaterPage(q) && on.Load() {
				return rig.Respond(q, status, rig.ErrorBody(code, "The page cannot be had."))
			}
			return under.RoundTrip(q)
		})
	}
}

// kubernetes-sigs/cloud-provider-azure#2880: a refresh that was refused was read
// as an empty fleet, and all nodes were removed.
func TestF25FailedRefreshReadAsNothingThere(t *testing.T) {
	for name, f := range map[string]armsim.Fault{
		"429": faults.Refusal("f", faults.AnyList, http.StatusTooManyRequests, 0, false), "500": faults.Refusal("f", faults.AnyList, http.StatusInternalServerError, 0, false),
		"empty": faults.List(armsim.ListEmpty), "no value": faults.List(armsim.ListNoValue), "truncated": faults.List(armsim.ListTruncate), "page 2": {},
	} {
		for _, mode := range []string{"Uniform", "Flexible"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				var on atomic.Bool
				s := rig.Setup{MaxInstances: 8, Spec: armsim.ScaleSetSpec{Capacity: 8, OrchestrationMode: mode}, Config: armsim.Config{PageSize: 4}}
				s.Middleware = failingPage(http.StatusInternalServerError, "InternalServerError", &on)
				rig.Run(t, s, func(r *rig.Rig) {
					busy := r.AwaitFleet(8)
					on.Store(f.Operation == "")
					if f.Operation != "" {
						r.Inject(faults.For(f, time.Minute))
					}
					r.Provisioner.Request(1) // the runner is in a hurry, and could give up in 12 s
					time.Sleep(time.Minute)
					on.Store(false)
					time.Sleep(2 * time.Minute)
					r.RequireRunning(busy)
					assert.Len(r, r.Provisioner.Instances(), 8)
				})
			})
		}
	}
}

// hortonworks/cloud-haunter#45: pages after the first were never read.
// Azure/azure-rest-api-specs#13843: the last page is empty. And an instance goes
// while the list is being read.
func TestF26PagesAreLostOrDoubled(t *testing.T) {
	for _, c := range []struct{ capacity, page int }{{30, 7}, {100, 25}, {220, 100}} {
		t.Run(fmt.Sprintf("%d by %d", c.capacity, c.page), func(t *testing.T) {
			var between rig.Hook
			s := rig.Setup{MaxInstances: 1000, Spec: armsim.ScaleSetSpec{Capacity: c.capacity}, Config: armsim.Config{PageSize: c.page, Boot: armsim.Duration{Median: time.Second}}}
			s.Middleware = between.Before(rig.IsLaterPage)
			rig.Run(t, s, func(r *rig.Rig) {
				all := r.AwaitFleet(c.capacity)
				gone := r.InstanceName(0)
				half := faults.List(armsim.ListEmptyLast)
				half.Probability = 0.5
				r.Inject(half, faults.List(armsim.ListRepeat))
				between.Set(func() { r.Disrupt(gone, r.Sim.Remove) })
				time.Sleep(5 * time.Minute)
				require.Nil(r, between.Load(), "nobody asked for a second page")
				assert.Len(r, r.Provisioner.Instances(), c.capacity-1)
				r.RequireRunning(slices.DeleteFunc(all, func(i fleeting.Instance) bool { return strings.HasPrefix(i.ID(), gone+"-") }))
			})
		})
	}
}

// Azure/azure-sdk-for-java#27991: the service refused its own page token. The
// rest of the list is missing then, and an instance is not gone for that.
func TestF26PageTokenIsRefused(t *testing.T) {
	var on atomic.Bool
	s := rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 25}, Config: armsim.Config{PageSize: 10}}
	s.Middleware = failingPage(http.StatusBadRequest, "InvalidParameter", &on)
	rig.Run(t, s, func(r *rig.Rig) {
		all := r.AwaitFleet(25)
		time.Sleep(5 * time.Minute) // the request limit is untouched
		on.Store(true)
		time.Sleep(time.Minute)
		for range 5 {
			told := 0
			err := r.Plugin.Update(r.Context(), func(string, provider.State) { told++ })
			require.ErrorContains(r, err, "InvalidParameter")
			require.Zero(r, told, "a short list")
			time.Sleep(time.Minute)
		}
		on.Store(false)
		time.Sleep(3 * time.Minute)
		r.RequireRunning(all)
	})
}

// Entries with empty IDs and null properties, and an interface that is listed a
// minute after its VM (cloudfoundry/bosh-azure-cpi-release#765).
func TestF27OddEntriesAndLateInterfaces(t *testing.T) {
	rig.RunBothModes(t, rig.Setup{}, func(r *rig.Rig) {
		r.Inject(faults.For(faults.List(armsim.ListOdd), 10*time.Minute))
		r.Inject(faults.For(armsim.Fault{Operation: "NetworkInterfaces_*", Effect: armsim.Effect{List: armsim.ListEmpty}}, 90*time.Second))
		r.Provisioner.Request(3)
		begun := time.Now()
		r.Await(time.Minute, "up", func() bool { return r.Sim.Stats().Running == 3 })
		for time.Since(begun) < 90*time.Second {
			require.Empty(r, r.Running(), "one without an address is of no use")
			time.Sleep(time.Second)
		}
		for _, i := range r.AwaitFleet(3) {
			info, err := i.ConnectInfo(r.Context())
			require.NoError(r, err)
			assert.NotEmpty(r, info.InternalAddr)
		}
	})
}

// Azure/karpenter-provider-azure#1014: "not found" has many codes. Only the word
// that the VM itself is not there means that it is gone.
func TestF28NotFoundIsNotAlwaysDeleted(t *testing.T) {
	const group, parent, forbidden = "ResourceGroupNotFound", "ParentResourceNotFound", "AuthorizationFailed"
	for _, c := range []struct {
		operation, code string
		status          int
		gone            bool
	}{
		{faults.AnyGet, "ResourceNotFound", 404, true}, {faults.AnyGet, "NotFound", 404, true}, {faults.AnyGet, "InstanceNotFound", 404, true},
		{faults.AnyGet, group, 404, false}, {faults.AnyGet, parent, 404, false}, {faults.AnyGet, forbidden, 403, false},
		{faults.AnyList, "ResourceNotFound", 404, false}, {faults.AnyList, "NotFound", 404, false}, {faults.AnyList, group, 404, false},
		{faults.AnyList, parent, 404, false}, {faults.AnyList, forbidden, 403, false},
	} {
		t.Run(strings.Trim(c.operation, "*")+" "+c.code, func(t *testing.T) {
			rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 4}}, func(r *rig.Rig) {
				all := r.AwaitFleet(4)
				f := armsim.Fault{Operation: c.operation, Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: c.status, Code: c.code}}}
				if c.operation == faults.AnyGet {
					f.Operation = "VirtualMachineScaleSetVMs_Get"
					r.Inject(faults.For(faults.List(armsim.ListTruncate), 3*time.Minute)) // so that there is something to ask for
				}
				r.Inject(faults.For(f, 3*time.Minute))
				r.Invariants.AllowThrottling()
				if c.gone {
					for _, i := range r.Sim.Instances() {
						r.Invariants.MarkUnhealthy(i.Name) // Azure says so
					}
				}
				time.Sleep(5 * time.Minute)
				if !c.gone {
					r.RequireRunning(all)
					return
				}
				assert.Len(r, r.Provisioner.Instances(), 2, "two were missing, and are gone")
			})
		})
	}
}

// The same answers to a deletion: none of them says that the instances are gone.
func TestF28NotFoundIsNoDeletion(t *testing.T) {
	for code, status := range map[string]int{"ResourceNotFound": 404, "ResourceGroupNotFound": 404, "ParentResourceNotFound": 404, "AuthorizationFailed": 403} {
		t.Run(code, func(t *testing.T) {
			rig.Run(t, rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig.Rig) {
				target := r.AwaitFleet(3)[0]
				r.Inject(faults.For(armsim.Fault{Operation: faults.DeleteInstances, Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: status, Code: code}}}, 3*time.Minute))
				target.Delete()
				time.Sleep(2 * time.Minute)
				require.Len(r, r.Sim.Instances(), 3)
				require.Equal(r, provider.StateRunning, target.State())
				r.AwaitFleet(2)
				assert.Equal(r, provider.StateDeleted, target.State())
			})
		})
	}
}

// A stopped VM has the statuses provisioned, stopped, and one of its agent, in
// any order (recorded by Azure's SDKs): whoever takes the first or the last one
// reads nonsense.
func TestF29WrongStatusIsRead(t *testing.T) {
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			var powerless atomic.Bool
			var n atomic.Int64
			s := rig.Setup{Spec: armsim.ScaleSetSpec{Capacity: 3, OrchestrationMode: mode}}
			s.Middleware = rig.RewriteResponses(rig.ReadsInstances, func(body map[string]any) {
				rig.EachInstance(body, func(i map[string]any) { addOddStatuses(i, int(n.Add(1)), powerless.Load()) })
			})
			rig.Run(t, s, func(r *rig.Rig) {
				all := r.AwaitFleet(3)
				powerless.Store(true)
				time.Sleep(5 * time.Minute)
				r.RequireRunning(all) // nothing is said of their power
				powerless.Store(false)
				r.Disrupt(r.InstanceName(0), r.Sim.Kill)
				r.AwaitFleet(2)
			})
		})
	}
}

// addOddStatuses puts statuses that say nothing of the power between the others,
// before, between and behind them.
func addOddStatuses(instance map[string]any, n int, powerless bool) {
	properties, _ := instance["properties"].(map[string]any)
	view, ok := properties["instanceView"].(map[string]any)
	statuses, _ := view["statuses"].([]any)
	if !ok {
		return
	}
	if powerless {
		statuses = slices.DeleteFunc(statuses, func(s any) bool {
			return strings.HasPrefix(strings.ToLower(fmt.Sprint(s.(map[string]any)["code"])), "powerstate/")
		})
	}
	for _, code := range []any{"VMAgent/running", "HealthState/stopped", "Power/stopped", "", nil, "ProvisioningState"} {
		at := n % (len(statuses) + 1)
		statuses = slices.Insert(statuses, at, any(map[string]any{"code": code, "displayStatus": "VM stopped"}))
		n = n*7 + 3
	}
	view["statuses"] = statuses
}
