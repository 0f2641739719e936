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

// shows is a view with that many instances.
func shows(after time.Duration, instances int) *View {
	v := viewAt(after)
	for n := range instances {
		v.Members = append(v.Members, member(idOf(n), Running, nil))
	}
	return v
}

// reconciled reads the capacity, if it is needed, and writes off what is lost.
func (l *ledger) reconciled(v *View, discovered int, capacity int64) (lost int, cause error) {
	o := l.reconcile(v, discovered)
	o.prove(vmss.ScaleSet{Capacity: capacity, HasCapacity: true}, v, l.target)
	return l.writeOff(v, o, v.At), o.cause
}

func TestLedgerWaitsForRunningIncreases(t *testing.T) {
	l := ledger{}
	l.recordIncrease(3, 5, "a", start)
	lost, _ := l.reconciled(shows(time.Hour, 1), 1, 5)
	assert.Zero(t, lost)
	assert.Equal(t, 2, l.pending())
	assert.True(t, l.isIncreasing())
	l.end(0, time.Hour, nil)
	assert.False(t, l.isIncreasing())
	lost, _ = l.reconciled(shows(time.Hour+listLag-1, 1), 0, 1)
	assert.Zero(t, lost, "a list may lag")
	lost, cause := l.reconciled(shows(time.Hour+listLag, 1), 0, 1)
	assert.Equal(t, 2, lost)
	assert.Equal(t, errNeverCreated, cause)
	assert.Zero(t, l.pending())
	l.reconcile(shows(time.Hour+listLag, 1), 0)
	assert.Empty(t, l.increases)
}

// TestLedgerConserves: what the capacity counts, and no list shows, is neither
// written off nor forgotten.
func TestLedgerConserves(t *testing.T) {
	for _, c := range []struct {
		name              string
		listed            int
		capacity          int64
		drift             int
		lost, unaccounted int
	}{
		{"the list hides them", 0, 4, 0, 0, 4},
		{"the list hides some", 2, 4, 0, 2, 2},
		{"the capacity fell", 0, 0, 0, 4, 0},
		{"the capacity fell by some", 0, 1, 0, 3, 1},
		{"others take the capacity", 4, 4, 0, 4, 0},
		{"others raised the capacity", 0, 9, 0, 0, 4},
		{"the capacity was too high before", 0, 4, 4, 4, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := ledger{target: target{drift: c.drift}}
			l.recordIncrease(4, 4, "a", start)
			l.end(0, 0, nil)
			lost, _ := l.reconciled(shows(time.Hour, c.listed), 0, c.capacity)
			assert.Equal(t, c.lost, lost)
			assert.Equal(t, c.unaccounted, l.hold.unaccounted)
			assert.Equal(t, c.unaccounted, l.pending())
			lost, _ = l.reconciled(shows(time.Hour, 9), c.unaccounted, c.capacity)
			assert.Zero(t, lost)
			assert.Zero(t, l.hold.unaccounted, "it ends when they show up")
		})
	}
}

// In Uniform orchestration the list keeps what could not be created, so that an instance
// of a failed operation that it lacks may be late like any other.
func TestLedgerWaitsForTheListOfAFailure(t *testing.T) {
	for _, c := range []struct {
		keepsFailed bool
		at          time.Duration
		lost        int
	}{{false, time.Minute, 2}, {true, time.Minute, 0}, {true, time.Minute + listLag, 2}} {
		l := ledger{readable: always}
		l.recordIncrease(2, 4, "a", start)
		l.end(0, time.Minute, azure(armerr.Allocation, 0))
		v := shows(c.at, 2)
		v.keepsFailed = c.keepsFailed
		lost, _ := l.reconciled(v, 0, 4)
		assert.Equal(t, c.lost, lost)
	}
}

// A hold ends by time where the list is credible, later each time; where it is
// not, never.
func TestLedgerEndsAHold(t *testing.T) {
	for _, c := range []struct {
		arrived  bool
		listed   int
		readable bool
	}{{true, 1, false}, {true, 0, true}, {true, 0, false}, {false, 1, true}} {
		l := ledger{arrived: c.arrived}
		var ends []time.Duration
		for after := time.Duration(0); after < 24*time.Hour; after += time.Minute {
			if l.pending() == 0 {
				l.recordIncrease(2, 2, "a", start)
				l.end(len(l.increases)-1, 0, nil)
			}
			v := shows(time.Hour+after, 0)
			v.listed = c.listed
			if c.readable {
				l.readable = readability{from: start, to: v.At}
			}
			o := l.reconcile(v, 0)
			o.prove(vmss.ScaleSet{Capacity: 2, HasCapacity: true}, v, l.target)
			l.endHold(v, &o)
			if l.writeOff(v, o, v.At) > 0 {
				ends = append(ends, after)
			}
		}
		if !c.arrived || c.listed == 0 && !c.readable {
			assert.Empty(t, ends)
			assert.Equal(t, 2, l.hold.unaccounted)
			continue
		}
		require.Len(t, ends, 7)
		assert.Equal(t, shortestHold, ends[0])
		assert.GreaterOrEqual(t, ends[6]-ends[5], 8*time.Hour)
	}
}

// Without a read of the capacity nothing is proven.
func TestLedgerNeedsTheCapacity(t *testing.T) {
	l := ledger{}
	l.recordIncrease(2, 2, "a", start)
	l.end(0, 0, nil)
	o := l.reconcile(viewAt(time.Hour), 0)
	assert.Equal(t, 2, o.unproven)
	assert.Zero(t, l.writeOff(viewAt(time.Hour), o, start))
	assert.Equal(t, 2, l.pending())
	assert.Zero(t, l.hold.unaccounted, "nor is it held against anybody")
}

func TestLedgerTellsWhyInstancesWereNotCreated(t *testing.T) {
	failure := azure(armerr.Allocation, 0)
	l := ledger{readable: always}
	l.recordIncrease(1, 5, "a", start)
	l.end(0, time.Minute, failure)
	lost, cause := l.reconciled(viewAt(time.Minute), 0, 5)
	assert.Equal(t, 1, lost, "after a failure no list of a Flexible scale set lags")
	assert.Equal(t, failure, cause)
}

// The newer operation creates the instances of the one that it superseded.
func TestLedgerSupersededIncrease(t *testing.T) {
	l := ledger{readable: always}
	l.recordIncrease(1, 5, "a", start)
	l.recordIncrease(1, 6, "b", start)
	l.end(0, time.Minute, azure(armerr.Preempted, 0))
	lost, _ := l.reconciled(viewAt(time.Hour), 0, 0)
	assert.Zero(t, lost)
	assert.Equal(t, 2, l.pending())
	l.end(0, time.Hour, azure(armerr.Allocation, 0))
	lost, _ = l.reconciled(viewAt(time.Hour), 0, 0)
	assert.Equal(t, 2, lost)
}

// Discovered instances are charged against the oldest increase, so that a newer
// one that is under way does not hide what an older one lacks.
func TestLedgerChargesTheOldest(t *testing.T) {
	l := ledger{}
	for n := range 10 {
		l.recordIncrease(5, int64(5*n+5), "", start)
		if n >= 4 { // which have ended, each with 4 of 5 instances
			l.end(min(1, n-4), 0, azure(armerr.Allocation, 0))
			v := viewAt(time.Hour)
			v.listed = 4
			lost, _ := l.reconciled(v, 4, 0)
			assert.Equal(t, 1, lost, n)
			assert.Equal(t, 20, l.pending(), n)
		}
	}
}

// Instances without a vmId may be the pending ones.
func TestLedgerExpectsUnidentifiedInstances(t *testing.T) {
	l := ledger{}
	l.recordIncrease(2, 5, "a", start)
	l.end(0, 0, nil)
	v := viewAt(time.Hour)
	v.identifying = 1
	lost, _ := l.reconciled(v, 0, 0)
	assert.Equal(t, 1, lost)
	assert.Equal(t, 1, l.pending())
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
			l.charge(c.discovered)
			assert.Equal(t, c.want, l.settleUncertain(c.set, 9, start))
			assert.Equal(t, c.want, l.pending())
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
	assert.Equal(t, l.increases[0], l.find(all[0]))
	assert.Nil(t, l.find(&operation{id: "a"}))
}

// A list that lacks known instances may lack new ones: an operation that failed may
// have made some of its instances.
func TestLedgerBelievesNoListThatLacksInstances(t *testing.T) {
	l := ledger{readable: always}
	l.recordIncrease(2, 2, "a", start)
	l.end(0, 0, &armerr.Error{Kind: armerr.Allocation})
	v := shows(time.Hour, 0)
	v.lacked = 1
	assert.Zero(t, l.writeOff(v, l.reconcile(v, 0), v.At))
	v.lacked = 0
	assert.Equal(t, 2, l.writeOff(v, l.reconcile(v, 0), v.At))
}

// always is the answer of an Azure that lets instances be read.
var always = readability{from: start, to: start.Add(1000 * time.Hour)}

// An empty list is believed if the identity could read instances before and after.
func TestLedgerBelievesNoBlindList(t *testing.T) {
	at := start.Add(time.Hour)
	for _, c := range []struct {
		answers []time.Duration // negative: refusals
		want    int
	}{
		{nil, 0},
		{[]time.Duration{59 * time.Minute}, 0},
		{[]time.Duration{61 * time.Minute}, 0},
		{[]time.Duration{60*time.Minute - time.Second, 60*time.Minute + time.Second}, 2},
		{[]time.Duration{58 * time.Minute, 61 * time.Minute}, 0},
		{[]time.Duration{60*time.Minute - time.Second, -60 * time.Minute, 60*time.Minute + time.Second}, 0},
	} {
		l := ledger{arrived: len(c.answers)%2 == 1} // what was listed once may be closed since
		for _, after := range c.answers {
			l.readable.record(after > 0, start.Add(max(after, -after)))
		}
		l.recordIncrease(2, 2, "a", start)
		l.end(0, 0, azure(armerr.Allocation, 0))
		v := viewAt(time.Hour)
		assert.Equal(t, c.want == 0, l.doubts(v, at.Add(time.Minute)), c.answers)
		o := l.reconcile(v, 0)
		assert.Equal(t, c.want, l.writeOff(v, o, v.At), c.answers)
	}
}
