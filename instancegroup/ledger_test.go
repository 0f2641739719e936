package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func viewAt(after time.Duration) *View { return &View{At: start.Add(after)} }

// end ends the n-th increase.
func (l *ledger) end(n int, after time.Duration, failure error) {
	l.increases[n].ended, l.increases[n].failure = start.Add(after), failure
}

func TestLedgerWaitsForRunningIncreases(t *testing.T) {
	l := ledger{}
	l.recordIncrease(3, 5, "a", start)
	lost, _ := l.reconcile(viewAt(time.Hour), 1)
	assert.Zero(t, lost)
	assert.Equal(t, 2, l.pending)
	assert.True(t, l.isIncreasing())
	l.end(0, time.Hour, nil)
	assert.False(t, l.isIncreasing())
	lost, _ = l.reconcile(viewAt(time.Hour+listLag-1), 0)
	assert.Zero(t, lost, "a list may lag")
	lost, cause := l.reconcile(viewAt(time.Hour+listLag), 0)
	assert.Equal(t, 2, lost)
	assert.Equal(t, errNeverCreated, cause)
	assert.Zero(t, l.pending)
	assert.Empty(t, l.increases)
}

func TestLedgerTellsWhyInstancesWereNotCreated(t *testing.T) {
	failure := azure(armerr.Allocation, 0)
	l := ledger{}
	l.recordIncrease(1, 5, "a", start)
	l.end(0, time.Minute, failure)
	lost, cause := l.reconcile(viewAt(time.Minute), 0)
	assert.Equal(t, 1, lost, "after a failure no list lags")
	assert.Equal(t, failure, cause)

	l = ledger{}
	l.recordIncrease(1, 5, "a", start)
	l.recordIncrease(1, 6, "b", start)
	l.end(0, time.Minute, azure(armerr.Preempted, 0))
	lost, _ = l.reconcile(viewAt(time.Minute), 0)
	assert.Zero(t, lost, "the newer operation creates the instances of the one that it superseded")
}

// Instances without a vmId may be the pending ones.
func TestLedgerExpectsUnidentifiedInstances(t *testing.T) {
	l := ledger{}
	l.recordIncrease(2, 5, "a", start)
	l.end(0, 0, nil)
	v := viewAt(time.Hour)
	v.identifying = 1
	lost, _ := l.reconcile(v, 0)
	assert.Equal(t, 1, lost)
	assert.Equal(t, 1, l.pending)
}

func TestLedgerSettlesAnUncertainWrite(t *testing.T) {
	set := func(etag string, capacity int64) vmss.ScaleSet {
		return vmss.ScaleSet{ETag: etag, Capacity: capacity, HasCapacity: true}
	}
	for _, c := range []struct {
		name       string
		set        vmss.ScaleSet
		discovered int
		want       int
		kept       bool
	}{
		{"it took effect", set("new", 7), 0, 3, false},
		{"it did not", set("new", 4), 0, 0, false},
		{"it may be on its way", set("old", 7), 0, 0, true},
		{"no capacity is shown", vmss.ScaleSet{ETag: "new", Capacity: 7}, 0, 0, false},
		{"some have been discovered", set("new", 7), 2, 1, false},
		{"all have been discovered", set("new", 7), 3, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := ledger{}
			l.recordUncertain(uncertainWrite{etag: "old", target: 7, count: 3})
			l.reconcile(viewAt(0), c.discovered)
			assert.Equal(t, c.want, l.settleUncertain(c.set, 9, start))
			assert.Equal(t, c.want, l.pending)
			assert.Equal(t, c.kept, l.uncertain != nil)
		})
	}
	l := ledger{}
	l.recordUncertain(uncertainWrite{etag: "old", target: 7, count: 3})
	assert.Equal(t, 2, l.settleUncertain(set("new", 7), 2, start), "at most what is wanted now")
}

func TestLedgerTarget(t *testing.T) {
	l := ledger{}
	low, met := vmss.ScaleSet{Capacity: 4}, vmss.ScaleSet{Capacity: 5}
	assert.False(t, l.isBelowTarget(low, start))
	l.recordIncrease(2, 5, "a", start)
	assert.True(t, l.isBelowTarget(low, start))
	assert.False(t, l.isBelowTarget(met, start))
	assert.False(t, l.isBelowTarget(low, start.Add(staleCapacity)), "in the end Azure is right")
	l.departed(1)
	assert.False(t, l.isBelowTarget(low, start), "an instance that left explains it")
}

func TestLedgerFindsItsOperations(t *testing.T) {
	l := ledger{}
	l.recordIncrease(2, 5, "a", start)
	l.recordIncrease(1, 6, "b", start)
	all := l.operations()
	require.Len(t, all, 2)
	count, ok := l.countOf(all[0])
	assert.True(t, ok)
	assert.Equal(t, 2, count)
	_, ok = l.countOf(&operation{id: "a"})
	assert.False(t, ok)
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
	due := dueOperations(append([]*operation(nil), all...), start.Add(time.Hour))
	assert.Equal(t, all[1:1+pollsPerUpdate], due)
}
