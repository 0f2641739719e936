package instancegroup

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// observed is one update of the runner, which discovers the given number of
// instances; it returns how many are lost.
func observed(t *testing.T, g *Group, discovered int) int {
	t.Helper()
	v, err := g.Observe(t.Context())
	require.NoError(t, err)
	return g.ReconcilePending(t.Context(), v, discovered)
}

// raisedBy is an increase that Azure accepts, and of which it makes only some.
func raisedBy(t *testing.T, f *fake, g *Group, n, made int) {
	t.Helper()
	before := len(f.vms)
	accepted, err := g.Increase(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, n, accepted)
	f.change(func() { f.vms = f.vms[:before+made] })
}

// TestNeverCreatedInstancesAreReported is the request that would stay pending for ever: 2 of
// 5 instances are never created (F11).
func TestNeverCreatedInstancesAreReported(t *testing.T) {
	f, g, clock := opened(t, 1)
	raisedBy(t, f, g, 5, 3)
	f.failures["1"] = azure(armerr.Allocation, 0)
	assert.Zero(t, observed(t, g, 3), "the operation may still make them")
	clock.pass(pollInterval)
	assert.Equal(t, 2, observed(t, g, 0))
	assert.Zero(t, observed(t, g, 0), "once")
	_, err := g.Increase(t.Context(), 1)
	require.ErrorContains(t, err, `increase scale set "ci": 2 instances were accepted by Azure and never created: ask scale set "ci": Code0`)
	accepted, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Zero(t, accepted, "held back for a while")
	clock.pass(15 * time.Second)
	accepted, err = g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, accepted)
}

// A list may be behind the operation: after a success it is given more time.
func TestLostOnlyAfterTheListHadTime(t *testing.T) {
	f, g, clock := opened(t, 1)
	raisedBy(t, f, g, 2, 1)
	f.change(func() { f.set.Capacity-- })
	clock.pass(pollInterval)
	assert.Zero(t, observed(t, g, 1))
	clock.pass(listLag - time.Second)
	assert.Zero(t, observed(t, g, 0))
	clock.pass(time.Second)
	assert.Equal(t, 1, observed(t, g, 0))
	_, err := g.Increase(t.Context(), 1)
	require.ErrorContains(t, err, "no reason is named")
}

// TestNothingIsLostWhileAnythingMayCome keeps requests pending.
func TestNothingIsLostWhileAnythingMayCome(t *testing.T) {
	for name, spoil := range map[string]func(*fake){
		"the operation runs":  func(f *fake) { f.endless = true },
		"it cannot be polled": func(f *fake) { f.failNext(opProgress, make([]fault, 0, 99)...) },
		"an instance without a name": func(f *fake) {
			f.change(func() { f.extra = []vmss.Instance{{ID: "/x/9", Name: "ci_9", InstanceID: "9"}} })
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, g, clock := opened(t, 1)
			raisedBy(t, f, g, 1, 0)
			f.failures["1"] = azure(armerr.Allocation, 0)
			spoil(f)
			if name == "it cannot be polled" {
				for range 99 {
					f.failNext(opProgress, fault{err: azure(armerr.Transient, 500)})
				}
			}
			for range 20 {
				clock.pass(pollInterval)
				assert.Zero(t, observed(t, g, 0))
			}
			f.endless = false
			f.change(func() { f.extra, f.faults = nil, map[string][]fault{} })
			clock.pass(longestInterval)
			assert.Equal(t, 1, observed(t, g, 0))
		})
	}
}

// TestOperationThatAzureForgot falls back to the state of the scale set (F37).
func TestOperationThatAzureForgot(t *testing.T) {
	for _, kind := range []armerr.Kind{armerr.NotFound, armerr.Forbidden} {
		f, g, clock := opened(t, 1)
		raisedBy(t, f, g, 1, 0)
		f.change(func() { f.set.ProvisioningState = "Updating" })
		f.failNext(opProgress, fault{err: azure(kind, 404)})
		clock.pass(pollInterval)
		assert.Zero(t, observed(t, g, 0))
		f.change(func() { f.set.ProvisioningState = "Failed" })
		clock.pass(pollInterval)
		assert.Equal(t, 1, observed(t, g, 0))
		assert.Equal(t, 1, f.count(opProgress), "it is not polled again")
	}
}

// TestHiddenOperationsAreReportedOnce: a role that lacks the action to read operations
// is otherwise not noticed, as all goes on without.
func TestHiddenOperationsAreReportedOnce(t *testing.T) {
	for kind, warnings := range map[armerr.Kind]int{armerr.NotFound: 0, armerr.Forbidden: 1} {
		f, g, clock := opened(t, 1)
		var log bytes.Buffer
		g.log = hclog.New(&hclog.LoggerOptions{Output: &log, Level: hclog.Warn})
		raisedBy(t, f, g, 1, 0)
		raisedBy(t, f, g, 1, 0)
		f.failNext(opProgress, fault{err: azure(kind, 403)}, fault{err: azure(kind, 403)})
		clock.pass(pollInterval)
		observed(t, g, 0)
		assert.Equal(t, 2, f.count(opProgress))
		assert.Equal(t, warnings, strings.Count(log.String(), "operations could not be read"), log.String())
	}
}

// TestFollowedOperationsAreBounded is an operation that never ends (F36).
func TestFollowedOperationsAreBounded(t *testing.T) {
	f, g, clock := opened(t, 1)
	f.endless = true
	for range 3 * pollsPerUpdate {
		raisedBy(t, f, g, 1, 1)
	}
	f.boot()
	clock.pass(pollInterval)
	observed(t, g, 3*pollsPerUpdate)
	assert.Equal(t, pollsPerUpdate, f.count(opProgress))
	for range 4 { // the last of them has to be visible, too
		clock.pass(abandonAfter)
		observed(t, g, 0)
	}
	assert.Empty(t, g.ledger.increases)
	assert.Empty(t, g.deletions.batches)
}

// TestUnfilledCapacityIsUsed: what an allocation failure left of the capacity is
// not added again.
func TestUnfilledCapacityIsUsed(t *testing.T) {
	f, g, clock := opened(t, 1)
	raisedBy(t, f, g, 4, 1)
	f.failures["1"] = azure(armerr.Allocation, 0)
	clock.pass(pollInterval)
	require.Equal(t, 3, observed(t, g, 1))
	_, _ = g.Increase(t.Context(), 1) // returns the reason
	clock.pass(time.Minute)
	require.EqualValues(t, 5, f.set.Capacity)
	accepted, err := g.Increase(t.Context(), 5)
	require.NoError(t, err)
	assert.Equal(t, 5, accepted)
	assert.Equal(t, []int64{5, 7}, f.writes, "3 of them stand open already")
}

// TestCapacityOfALaggingListIsOccupied: what an increase made and no list shows yet
// is not there for the next one to fill.
func TestCapacityOfALaggingListIsOccupied(t *testing.T) {
	f, g, clock := opened(t, 1)
	accepted, err := g.Increase(t.Context(), 3)
	require.NoError(t, err)
	require.Equal(t, 3, accepted)
	for _, i := range f.vms[1:] {
		f.hidden[i.VMID] = true
	}
	clock.pass(pollInterval)
	require.Zero(t, observed(t, g, 0), "they may still come")
	accepted, err = g.Increase(t.Context(), 2)
	require.NoError(t, err)
	assert.Equal(t, 2, accepted)
	assert.Equal(t, []int64{4, 6}, f.writes)
}

// TestFailedDeletionIsRetried is sent again by the plugin: the runner was told
// that it is done (F15).
func TestFailedDeletionIsRetried(t *testing.T) {
	for _, kind := range []armerr.Kind{armerr.Preempted, armerr.Transient} {
		f, g, clock := opened(t, 3)
		id := f.id(1)
		done, err := g.Decrease(t.Context(), []string{id})
		require.NoError(t, err)
		require.Equal(t, []string{id}, done)
		f.vm(1, func(i *vmss.Instance) { i.ProvisioningState = "Succeeded" })
		f.failures["1"] = azure(kind, 0)
		for range 6 {
			clock.pass(pollInterval)
			observed(t, g, 0)
			assert.Equal(t, Deleting, g.last().Find(id).State)
			require.NoError(t, g.Reap(t.Context(), g.last()))
		}
		assert.Len(t, f.sent, 2, kind)
	}
}

// TestStuckDeletion is sent again every half hour (F20).
func TestStuckDeletion(t *testing.T) {
	f, g, clock := opened(t, 2)
	_, err := g.Decrease(t.Context(), []string{f.id(0)})
	require.NoError(t, err)
	for n := range 5 {
		require.NoError(t, g.Reap(t.Context(), refreshed(t, g)))
		assert.Len(t, f.sent, n+1)
		clock.pass(stuckDeleting)
	}
}

// TestCircuitBreaker: instances that fail one after the other are requested less
// and less often, and that is reported once.
func TestCircuitBreaker(t *testing.T) {
	f, g, clock := opened(t, 0)
	begun := clock.now()
	accepted, told := 0, 0
	for clock.now().Sub(begun) < 2*time.Hour {
		n, err := g.Increase(t.Context(), 1)
		accepted += n
		if err != nil {
			told++
		}
		f.each(func(i *vmss.Instance) bool {
			i.ProvisioningState, i.Failure = "Failed", "OSProvisioningTimedOut"
			return true
		})
		observed(t, g, n)
		require.NoError(t, g.Reap(t.Context(), g.last()))
		f.finish()
		clock.pass(2 * time.Second)
	}
	assert.Equal(t, 1, told)
	assert.Less(t, accepted, 25, fmt.Sprint(accepted, " machines were paid for in two hours"))
	assert.Greater(t, accepted, 10, "it goes on trying")
}

// TestNeverCreatedAmongOthers: where increases follow each other without a pause, what
// the older ones lost is reported all the same.
func TestNeverCreatedAmongOthers(t *testing.T) {
	f, g, clock := opened(t, 1)
	lost := 0
	for n := 1; n <= 20; n++ {
		if accepted, _ := g.Increase(t.Context(), 3); accepted == 3 {
			f.failures[vmss.Operation(fmt.Sprint(f.begun))] = azure(armerr.Allocation, 0)
			f.change(func() { f.vms = f.vms[:len(f.vms)-1] })
			lost += observed(t, g, 2)
		}
		clock.pass(30 * time.Second)
		lost += observed(t, g, 0)
		f.boot()
	}
	assert.Positive(t, lost)
	assert.LessOrEqual(t, g.ledger.pending(), 3)
	assert.LessOrEqual(t, len(g.ledger.increases)+len(g.deletions.batches), 3)
}

// TestStuckDeletionAfterARestart is sent again, though nobody knows who began it;
// but not if the number is another instance's by then.
func TestStuckDeletionAfterARestart(t *testing.T) {
	f, _, _ := opened(t, 2)
	f.vm(0, func(i *vmss.Instance) { i.ProvisioningState = "Deleting" })
	g, clock := f.open(t)
	refreshed(t, g)
	clock.pass(stuckDeleting)
	v := refreshed(t, g)
	require.NoError(t, g.Reap(t.Context(), v))
	require.Len(t, f.sent, 1)
	clock.pass(stuckDeleting)
	f.vm(0, func(i *vmss.Instance) { i.VMID, i.ProvisioningState = "ffffffff-another", "Succeeded" })
	require.NoError(t, g.Reap(t.Context(), v))
	assert.Len(t, f.sent, 1)
}

func TestOperationIsPolledAndAbandoned(t *testing.T) {
	o := operation{id: "a", began: start}
	assert.False(t, o.isDue(start.Add(pollInterval-1)))
	at := start.Add(pollInterval)
	require.True(t, o.isDue(at))
	ended, _ := o.record(at, vmss.Progress{}, nil)
	assert.False(t, ended)
	assert.False(t, o.isDue(at.Add(pollInterval-1)))
	assert.True(t, o.isDue(at.Add(pollInterval)))

	ended, abandoned := o.record(start.Add(abandonAfter), vmss.Progress{}, azure(armerr.Transient, 500))
	assert.False(t, ended, "an error of the poll is no failure of the operation")
	assert.False(t, abandoned)
	ended, abandoned = o.record(start.Add(abandonAfter+1), vmss.Progress{}, azure(armerr.Transient, 500))
	assert.True(t, ended && abandoned)
	require.NoError(t, o.failure)
	assert.False(t, o.isDue(start.Add(2*abandonAfter)))
}

func TestOperationsAreTakenInTurn(t *testing.T) {
	var all []*operation
	for n := range 2 * pollsPerUpdate {
		all = append(all, &operation{began: start.Add(time.Duration(-n) * time.Second), polled: start.Add(time.Duration(n) * time.Second)})
	}
	all[0].ended = start
	due := dueOperations(append([]*operation(nil), all...), 0, start.Add(time.Hour))
	assert.Equal(t, all[1:1+pollsPerUpdate], due)
}

// TestOperationIsReadMeanwhile: a long reading asks whether a deletion is followed while its
// operation is polled. The race detector sees to it.
func TestOperationIsReadMeanwhile(t *testing.T) {
	f, g, clock := opened(t, 1)
	_, err := g.Decrease(t.Context(), []string{f.id(0)})
	require.NoError(t, err)
	f.failNext(opProgress, fault{err: azure(armerr.NotFound, 404)})
	clock.pass(time.Minute)
	now := clock.now()
	var reading sync.WaitGroup
	stop := make(chan struct{})
	reading.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			g.mu.Lock()
			for _, a := range g.deletions.accepted {
				a.isFollowed(now)
			}
			g.mu.Unlock()
		}
	})
	operationPoll{g, vmss.ListRoom{}}.run(t.Context())
	close(stop)
	reading.Wait()
	require.Equal(t, 1, f.count(opProgress))
}
