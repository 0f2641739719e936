package budget

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newBudget is a budget under a clock that the test moves.
func newBudget() (*Budget, *time.Time) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return New(func() time.Time { return now }), &now
}

// list makes a list of so many pages.
func list(b *Budget, pages int) error {
	return b.Measure(ListInstances, func() error {
		for range pages {
			if err := b.Take(ListInstances); err != nil {
				return err
			}
		}
		return nil
	})
}

// Azure serves 12 writes at once, and then 4 a minute.
func TestRemainingIsAzuresLimit(t *testing.T) {
	b, now := newBudget()
	require.Equal(t, 12, b.Remaining(WriteScaleSet))
	for range 12 {
		require.NoError(t, b.Take(WriteScaleSet))
	}
	assert.Zero(t, b.Remaining(WriteScaleSet))
	assert.Equal(t, 36, b.Remaining(ReadScaleSet), "each class has its own")
	*now = now.Add(15 * time.Second)
	assert.Zero(t, b.Remaining(WriteScaleSet), "the clocks differ")
	*now = now.Add(time.Second)
	assert.Equal(t, 1, b.Remaining(WriteScaleSet))
	*now = now.Add(time.Hour)
	assert.Equal(t, 12, b.Remaining(WriteScaleSet))
}

// TestFigures are those of Microsoft's pages on the limits of Compute and of Resource
// Manager, the latter's in front of all.
func TestFigures(t *testing.T) {
	for class, want := range map[Class]struct{ burst, perMinute int }{
		ListInstances: {30, 10}, ReadInstance: {36, 12}, ReadScaleSet: {36, 12}, WriteScaleSet: {12, 4},
		DeleteInstances: {200, 200}, ListVirtualMachines: {210, 210}, "GET networkinterfaces list": {210, 210}, "POST anything": {200, 200}, "DELETE anything": {200, 200},
	} {
		b, now := newBudget()
		assert.Equal(t, want.burst, b.Remaining(class), class)
		for range want.burst {
			require.NoError(t, b.Take(class))
		}
		require.Error(t, b.Take(class), class)
		*now = now.Add(time.Minute + time.Second)
		assert.InDelta(t, want.perMinute, b.Remaining(class), 1, class)
	}
}

// TestReadsLeaveSomeToOthers: several plugins in a subscription have Resource Manager's
// reads in common.
func TestReadsLeaveSomeToOthers(t *testing.T) {
	b, _ := newBudget()
	for range 210 {
		require.NoError(t, b.Take("GET networkinterfaces list"))
	}
	require.Error(t, b.Take(ReadInstance))
	assert.Zero(t, b.Remaining(ListVirtualMachines))
	require.NoError(t, b.Take(ReadScaleSet), "a write needs it")
}

// A list of ten pages costs ten calls.
func TestRemainingCountsPages(t *testing.T) {
	b, now := newBudget()
	require.NoError(t, list(b, 10))
	assert.Equal(t, 2, b.Remaining(ListInstances))
	*now = now.Add(time.Hour)
	require.NoError(t, b.Measure(ListInstances, func() error { // more than Azure ever serves at once
		for range 40 {
			_ = b.Take(ListInstances)
		}
		return nil
	}))
	assert.Zero(t, b.Remaining(ListInstances))
	*now = now.Add(time.Hour)
	assert.Equal(t, 1, b.Remaining(ListInstances), "otherwise there would never be another list")
}

func TestHeadersCorrectTheCount(t *testing.T) {
	b, _ := newBudget()
	respond := func(header string) {
		b.Correct(ListInstances, http.Header{"X-Ms-Ratelimit-Remaining-Resource": {header}})
	}
	respond("Microsoft.Compute/HighCostGetVMScaleSetResource;29,Microsoft.Compute/VMScaleSetVMViewsSubscriptionMaximum;2")
	assert.Equal(t, 29, b.Remaining(ListInstances), "views are no calls")
	respond("Microsoft.Compute/HighCostGetVMScaleSetResource;20,Microsoft.Compute/HighCostGetVMScaleSetSubscriptionMaximum;3")
	assert.Equal(t, 3, b.Remaining(ListInstances), "others use up the subscription's limit")
	respond("nonsense;;x,")
	assert.Equal(t, 3, b.Remaining(ListInstances))
	b.Correct(ListInstances, http.Header{"X-Ms-Ratelimit-Remaining-Subscription-Reads": {"42"}})
	assert.Equal(t, 35, b.Room(ListVirtualMachines).Pages, "Resource Manager's limit meets all reads, and some are left to others")
}

// TestWhatOthersTake: the part of a limit that others use up does not flow in here.
func TestWhatOthersTake(t *testing.T) {
	b, now := newBudget()
	left := 90.0
	for range 120 { // a neighbour leaves 30 pages a minute of 300, and 90 at once
		for b.Room(ListVirtualMachines).Pages > 0 && b.Take(ListVirtualMachines) == nil {
			left--
			require.GreaterOrEqual(t, left, 0.0, "Azure refuses it")
			b.Correct(ListVirtualMachines, http.Header{"X-Ms-Ratelimit-Remaining-Resource": {fmt.Sprintf("Microsoft.Compute/ListVMSubscriptionMaximum;%d", int(left))}})
		}
		*now = now.Add(2 * time.Second)
		left = min(90, left+1)
	}
	assert.InDelta(t, 30, b.Room(ListVirtualMachines).PerMinute, 15)
	assert.GreaterOrEqual(t, b.callsLocked(ListVirtualMachines).requests, 150, "and all of that is used")
}

// TestReadsOfInstances: no document says whether the limit on reads of single instances
// is one for the scale set or one for each instance; the responses do.
func TestReadsOfInstances(t *testing.T) {
	respond := func(b *Budget, left int) {
		b.Correct(ReadInstance, http.Header{"X-Ms-Ratelimit-Remaining-Resource": {fmt.Sprintf("Microsoft.Compute/GetVMScaleSetVMResource;%d", left)}})
	}
	set, _ := newBudget()
	each, _ := newBudget()
	for n := range 36 {
		require.NoError(t, set.Take(ReadInstance))
		require.NoError(t, each.Take(ReadInstance))
		if n%12 == 11 { // so many were under way at the same time
			for k := range 12 {
				respond(set, 35-n+k)
				respond(each, 35)
			}
		}
	}
	require.Error(t, set.Take(ReadInstance))
	require.NoError(t, each.Take(ReadInstance))
	assert.Equal(t, 173, each.Remaining(ReadInstance), "what Resource Manager takes")
}

// TestDeletionsThatCountAsWrites: recorded responses count deletions apart. Should they
// count against the limit on writes, the responses say so.
func TestDeletionsThatCountAsWrites(t *testing.T) {
	for _, limit := range []string{"UpdateVMScaleSetResource", "VMScaleSetActionsResource"} {
		b, _ := newBudget()
		require.NoError(t, b.Take(DeleteInstances))
		b.Correct(DeleteInstances, http.Header{"X-Ms-Ratelimit-Remaining-Resource": {"Microsoft.Compute/" + limit + ";5"}})
		assert.Equal(t, 5, b.Remaining(DeleteInstances), limit)
		require.NoError(t, b.Take(DeleteInstances))
		assert.Equal(t, 4, b.Remaining(WriteScaleSet), limit)
	}
}

// TestLittleLeftAtTheBeginning: a plugin started again may find that its predecessor has
// used the limit up. What remains is what may be sent.
func TestLittleLeftAtTheBeginning(t *testing.T) {
	for left, possible := range []int{0, 1, 2} {
		b, now := newBudget()
		require.NoError(t, b.Take(WriteScaleSet))
		b.Correct(WriteScaleSet, http.Header{"X-Ms-Ratelimit-Remaining-Resource": {fmt.Sprintf("Microsoft.Compute/UpdateVMScaleSetResource;%d", left)}})
		assert.Equal(t, possible, b.Remaining(WriteScaleSet))
		for range possible {
			require.NoError(t, b.Take(WriteScaleSet))
		}
		require.Error(t, b.Take(WriteScaleSet))
		assert.Zero(t, b.Remaining(WriteScaleSet))
		*now = now.Add(20 * time.Second)
		assert.Equal(t, 1, b.Remaining(WriteScaleSet))
		require.NoError(t, b.Take(WriteScaleSet))
	}
}

// TestBlock: a 429 empties the bucket, and nothing is sent until Azure allows it.
func TestBlock(t *testing.T) {
	b, now := newBudget()
	b.Block(ListInstances, 20*time.Minute, nil)
	require.EqualError(t, b.Take(ListInstances), "request limit reached: retry in 20m0s; nothing was sent")
	assert.Zero(t, b.Remaining(ListInstances))
	assert.Positive(t, b.Remaining(WriteScaleSet))
	*now = now.Add(20*time.Minute + time.Second)
	require.NoError(t, b.Take(ListInstances))
	b.Block(ListInstances, 0, nil)
	*now = now.Add(defaultBlock - time.Second)
	require.Error(t, b.Take(ListInstances))
	*now = now.Add(time.Second)
	require.NoError(t, b.Take(ListInstances))
}

// TestBlockTakesTheLonger: the responses to concurrent requests come in any order.
func TestBlockTakesTheLonger(t *testing.T) {
	for _, waits := range [][]time.Duration{{300 * time.Second, time.Second}, {time.Second, 300 * time.Second}, {300 * time.Second, 0}} {
		b, now := newBudget()
		for _, wait := range waits {
			b.Block(WriteScaleSet, wait, nil)
		}
		*now = now.Add(299 * time.Second)
		require.Error(t, b.Take(WriteScaleSet), waits)
		*now = now.Add(time.Second)
		assert.NoError(t, b.Take(WriteScaleSet), waits)
	}
}

// TestAfford: a list that cannot be completed in time leaves what there is to the next
// attempt.
func TestAfford(t *testing.T) {
	b, now := newBudget()
	require.NoError(t, b.Afford(ListInstances, 30, 0))
	for range 25 {
		require.NoError(t, b.Take(ListInstances))
	}
	require.NoError(t, b.Afford(ListInstances, 13, 50*time.Second), "eight more take 48 s")
	wait, ok := errors.AsType[*WaitError](b.Afford(ListInstances, 19, 50*time.Second))
	require.True(t, ok)
	assert.InDelta(t, 85, wait.Wait.Seconds(), 1)
	*now = now.Add(time.Minute)
	require.NoError(t, b.Afford(ListInstances, 19, 50*time.Second))
}

// TestResourceManagerBlocks: a 429 that names no limit of the provider is Resource
// Manager's.
func TestResourceManagerBlocks(t *testing.T) {
	b, _ := newBudget()
	b.Block(ListInstances, time.Minute, http.Header{"X-Ms-Ratelimit-Remaining-Subscription-Reads": {"0"}})
	assert.Zero(t, b.Remaining(ReadScaleSet))
	assert.Positive(t, b.Remaining(WriteScaleSet))
}

// A list that has grown is assumed to cost more from then on, and one that was cut
// short not to cost less.
func TestListThatHasGrown(t *testing.T) {
	b, now := newBudget()
	require.NoError(t, list(b, 3))
	assert.Equal(t, 3, b.Room(ListInstances).Cost)
	require.NoError(t, list(b, 9))
	assert.Equal(t, 9, b.Room(ListInstances).Cost)
	require.Error(t, list(b, 40))
	assert.Equal(t, 18, b.Room(ListInstances).Cost)
	assert.Zero(t, b.Room(ListInstances).Pages)
	*now = now.Add(time.Hour)
	_ = b.Measure(ListInstances, func() error { _ = b.Take(ListInstances); return errors.New("cut") })
	assert.Equal(t, Room{Pages: 29, Cost: 18, PerMinute: 10}, b.Room(ListInstances))
	require.NoError(t, list(b, 2))
	assert.Equal(t, 2, b.Room(ListInstances).Cost)
}

// TestScaleSetsOfOneSubscription share what Azure limits for all of it, and nothing else:
// how many pages a list of one has says nothing of another's.
func TestScaleSetsOfOneSubscription(t *testing.T) {
	first, _ := newBudget()
	second := first.ForScaleSet()
	for _, c := range []Class{WriteScaleSet, ReadScaleSet, ListInstances, ReadInstance} {
		before := second.Remaining(c)
		require.NoError(t, first.Take(c))
		assert.Equal(t, before, second.Remaining(c), c)
		assert.Equal(t, before-1, first.Remaining(c), c)
	}
	for _, c := range []Class{DeleteInstances, ListVirtualMachines, managerReads} {
		before := second.Remaining(c)
		for range 20 {
			require.NoError(t, first.Take(c))
		}
		assert.Less(t, second.Remaining(c), before, c)
	}
	require.NoError(t, first.Measure(ListVirtualMachines, func() error {
		return errors.Join(first.Take(ListVirtualMachines), second.Take(ListVirtualMachines), first.Take(ListVirtualMachines))
	}))
	assert.Equal(t, 2, first.Room(ListVirtualMachines).Cost)
	assert.Equal(t, 1, second.Room(ListVirtualMachines).Cost)
	first.Block(DeleteInstances, time.Minute, nil)
	assert.Zero(t, second.Remaining(DeleteInstances))
}

// TestBurstsBesideANeighbour: a neighbour leaves a tenth of Resource Manager's reads. What
// Azure has not counted yet of a burst is no sign of more.
func TestBurstsBesideANeighbour(t *testing.T) {
	const (
		tick, most, inflow = 100 * time.Millisecond, 25.0, 0.25 // a tick
		class              = Class("GET things")
	)
	for seed := range uint64(200) {
		b, now := newBudget()
		chance := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test's
		left, sent, wanted := most, 0, 0
		var counts []int      // of responses under way
		for n := range 6000 { // ten minutes
			*now, left = now.Add(tick), min(most, left+inflow)
			for _, c := range counts {
				b.Correct(class, http.Header{"X-Ms-Ratelimit-Remaining-Subscription-Reads": {strconv.Itoa(c)}})
			}
			for counts = nil; sent > 0 && left >= 1; sent-- {
				left--
				counts = append(counts, int(left))
			}
			if sent > 0 {
				require.Less(t, n, 600, "seed %d: Azure refuses some after the first minute", seed)
				b.Block(class, time.Second, http.Header{})
			}
			if wanted == 0 && chance.IntN(40) == 0 {
				wanted = 1 + chance.IntN(40)
			}
			for sent = 0; sent+len(counts) < 18 && wanted > 0 && b.Take(class) == nil; sent++ {
				wanted--
			}
		}
	}
}
