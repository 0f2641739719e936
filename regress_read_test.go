package azure

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
)

// kubernetes/autoscaler#2817, #3270: polling ate the request limits, and
// repetitions prolonged the block. Here the runner asks every two seconds for
// half an hour, as it does with demand that it cannot meet. The limit counts pages.
func TestF24PollingEatsTheRequestLimit(t *testing.T) {
	bubbled(t, rigSetup{max: 8, spec: armsim.ScaleSetSpec{Capacity: 8}, config: armsim.Config{PageSize: 4}}, func(r *rig) {
		all := r.fleet(8)
		r.provisioner.Request(1) // there is no room for it
		mark, begun := r.mark(), time.Now()
		time.Sleep(30 * time.Minute)
		lists := r.since(mark, anyList)
		assert.LessOrEqual(r, len(lists), 30+300, "30 at once and 10 a minute")
		last := begun
		for _, e := range lists {
			assert.Less(r, e.Time.Sub(last), time.Minute, "and what the runner sees is fresh")
			last = e.Time
		}
		for _, e := range r.since(mark, "*") {
			require.NotEqual(r, http.StatusTooManyRequests, e.Status, "%s", e.Operation)
		}
		r.requireAlive(all)
	})
}

// Azure/AKS#1187, #1413: a neighbour in the subscription ate the limit. What
// Azure asks to wait is waited for, with one request to see whether it is over.
func TestF24ANeighbourEatsTheRequestLimit(t *testing.T) {
	bubbled(t, rigSetup{max: 8, spec: armsim.ScaleSetSpec{Capacity: 8}}, func(r *rig) {
		all := r.fleet(8)
		r.provisioner.Request(1)
		time.Sleep(10 * time.Second)
		r.fault(rigFor(refusal("neighbour", anyList, http.StatusTooManyRequests, 1200, false), 21*time.Minute))
		mark := r.mark()
		time.Sleep(45 * time.Minute)
		var refused []time.Time
		lists := r.since(mark, anyList)
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
		r.requireAlive(all)
		assert.Contains(r, r.text.String(), "the last complete view serves")
	})
}

// rigFailingPage answers with an error from the second page on, while on is set.
func rigFailingPage(status int, code string, on *atomic.Bool) func(http.RoundTripper) http.RoundTripper {
	return func(under http.RoundTripper) http.RoundTripper {
		return rigTrip(func(q *http.Request) (*http.Response, error) {
			if rigPages(q) && on.Load() {
				return rigAnswer(q, status, rigError(code, "The page cannot be had."))
			}
			return under.RoundTrip(q)
		})
	}
}

// kubernetes-sigs/cloud-provider-azure#2880: a refresh that was refused was read
// as an empty fleet, and all nodes were removed.
func TestF25FailedRefreshReadAsNothingThere(t *testing.T) {
	for name, f := range map[string]armsim.Fault{
		"429": refusal("f", anyList, http.StatusTooManyRequests, 0, false), "500": refusal("f", anyList, http.StatusInternalServerError, 0, false),
		"empty": list(armsim.ListEmpty), "no value": list(armsim.ListNoValue), "truncated": list(armsim.ListTruncate), "page 2": {},
	} {
		for _, mode := range []string{"Uniform", "Flexible"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				var on atomic.Bool
				s := rigSetup{max: 8, spec: armsim.ScaleSetSpec{Capacity: 8, OrchestrationMode: mode}, config: armsim.Config{PageSize: 4}}
				s.wire = rigFailingPage(http.StatusInternalServerError, "InternalServerError", &on)
				bubbled(t, s, func(r *rig) {
					busy := r.fleet(8)
					on.Store(f.Operation == "")
					if f.Operation != "" {
						r.fault(rigFor(f, time.Minute))
					}
					r.provisioner.Request(1) // the runner is in a hurry, and could give up in 12 s
					time.Sleep(time.Minute)
					on.Store(false)
					time.Sleep(2 * time.Minute)
					r.requireAlive(busy)
					assert.Len(r, r.provisioner.Instances(), 8)
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
			var between rigHook
			s := rigSetup{max: 1000, spec: armsim.ScaleSetSpec{Capacity: c.capacity}, config: armsim.Config{PageSize: c.page, Boot: armsim.Duration{Median: time.Second}}}
			s.wire = between.before(rigPages)
			bubbled(t, s, func(r *rig) {
				all := r.fleet(c.capacity)
				gone := r.victim(0)
				half := list(armsim.ListEmptyLast)
				half.Probability = 0.5
				r.fault(half, list(armsim.ListRepeat))
				between.set(func() { r.harm(gone, r.sim.Remove) })
				time.Sleep(3 * time.Minute)
				require.Nil(r, between.Load(), "nobody asked for a second page")
				assert.Len(r, r.provisioner.Instances(), c.capacity-1)
				r.requireAlive(slices.DeleteFunc(all, func(i fleeting.Instance) bool { return strings.HasPrefix(i.ID(), gone+"-") }))
			})
		})
	}
}

// Azure/azure-sdk-for-java#27991: the service refused its own page token. The
// rest of the list is missing then, and an instance is not gone for that.
func TestF26PageTokenIsRefused(t *testing.T) {
	var on atomic.Bool
	s := rigSetup{spec: armsim.ScaleSetSpec{Capacity: 25}, config: armsim.Config{PageSize: 10}}
	s.wire = rigFailingPage(http.StatusBadRequest, "InvalidParameter", &on)
	bubbled(t, s, func(r *rig) {
		all := r.fleet(25)
		time.Sleep(5 * time.Minute) // the request limit is untouched
		on.Store(true)
		for range 5 {
			told := 0
			err := r.plugin.Update(r.Context(), func(string, provider.State) { told++ })
			require.ErrorContains(r, err, "InvalidParameter")
			require.Zero(r, told, "a short list")
			time.Sleep(time.Minute)
		}
		on.Store(false)
		time.Sleep(3 * time.Minute)
		r.requireAlive(all)
	})
}

// Entries with empty IDs and null properties, and an interface that is listed a
// minute after its VM (cloudfoundry/bosh-azure-cpi-release#765).
func TestF27OddEntriesAndLateInterfaces(t *testing.T) {
	inBothModes(t, rigSetup{}, func(r *rig) {
		r.fault(rigFor(list(armsim.ListOdd), 10*time.Minute))
		r.fault(rigFor(armsim.Fault{Operation: "NetworkInterfaces_*", Effect: armsim.Effect{List: armsim.ListEmpty}}, 90*time.Second))
		r.provisioner.Request(3)
		begun := time.Now()
		r.await(time.Minute, "up", func() bool { return r.sim.Stats().Running == 3 })
		for time.Since(begun) < 90*time.Second {
			require.Empty(r, r.running(), "one without an address is of no use")
			time.Sleep(time.Second)
		}
		for _, i := range r.fleet(3) {
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
		{anyGet, "ResourceNotFound", 404, true}, {anyGet, "NotFound", 404, true}, {anyGet, "InstanceNotFound", 404, true},
		{anyGet, group, 404, false}, {anyGet, parent, 404, false}, {anyGet, forbidden, 403, false},
		{anyList, "ResourceNotFound", 404, false}, {anyList, "NotFound", 404, false}, {anyList, group, 404, false},
		{anyList, parent, 404, false}, {anyList, forbidden, 403, false},
	} {
		t.Run(strings.Trim(c.operation, "*")+" "+c.code, func(t *testing.T) {
			bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 4}}, func(r *rig) {
				all := r.fleet(4)
				f := armsim.Fault{Operation: c.operation, Effect: armsim.Effect{Error: &armsim.ErrorAnswer{Status: c.status, Code: c.code}}}
				if c.operation == anyGet {
					f.Operation = "VirtualMachineScaleSetVMs_Get"
					r.fault(rigFor(list(armsim.ListTruncate), 3*time.Minute)) // so that there is something to ask for
				}
				r.fault(rigFor(f, 3*time.Minute))
				r.watch.quota = true
				if c.gone {
					for _, i := range r.sim.Instances() {
						r.watch.hurt(i.Name) // Azure says so
					}
				}
				time.Sleep(5 * time.Minute)
				if !c.gone {
					r.requireAlive(all)
					return
				}
				assert.Len(r, r.provisioner.Instances(), 2, "two were missing, and are gone")
			})
		})
	}
}

// The same answers to a deletion: none of them says that the instances are gone.
func TestF28NotFoundIsNoDeletion(t *testing.T) {
	for code, status := range map[string]int{"ResourceNotFound": 404, "ResourceGroupNotFound": 404, "ParentResourceNotFound": 404, "AuthorizationFailed": 403} {
		t.Run(code, func(t *testing.T) {
			bubbled(t, rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3}}, func(r *rig) {
				victim := r.fleet(3)[0]
				r.fault(rigFor(armsim.Fault{Operation: deleteBatch, Effect: armsim.Effect{Error: &armsim.ErrorAnswer{Status: status, Code: code}}}, 3*time.Minute))
				victim.Delete()
				time.Sleep(2 * time.Minute)
				require.Len(r, r.sim.Instances(), 3)
				require.Equal(r, provider.StateRunning, victim.State())
				r.fleet(2)
				assert.Equal(r, provider.StateDeleted, victim.State())
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
			s := rigSetup{spec: armsim.ScaleSetSpec{Capacity: 3, OrchestrationMode: mode}}
			s.wire = rigRewrite(rigReads, func(body map[string]any) {
				rigEach(body, func(i map[string]any) { rigConfuse(i, int(n.Add(1)), powerless.Load()) })
			})
			bubbled(t, s, func(r *rig) {
				all := r.fleet(3)
				powerless.Store(true)
				time.Sleep(5 * time.Minute)
				r.requireAlive(all) // nothing is said of their power
				powerless.Store(false)
				r.harm(r.victim(0), r.sim.Kill)
				r.fleet(2)
			})
		})
	}
}
