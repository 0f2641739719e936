package budget

import (
	"errors"
	"net/http"
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
	assert.Equal(t, 12, b.Remaining(DeleteInstances), "each class has its own")
	*now = now.Add(15 * time.Second)
	assert.Zero(t, b.Remaining(WriteScaleSet), "the clocks differ")
	*now = now.Add(time.Second)
	assert.Equal(t, 1, b.Remaining(WriteScaleSet))
	*now = now.Add(time.Hour)
	assert.Equal(t, 12, b.Remaining(WriteScaleSet))
}

// TestFigures are those of Microsoft's compute-throttling-limits page.
func TestFigures(t *testing.T) {
	for class, want := range map[Class]int{
		ListInstances: 30, ReadScaleSet: 36, WriteScaleSet: 12, DeleteInstances: 12, ListVirtualMachines: 900,
	} {
		b, now := newBudget()
		assert.Equal(t, want, b.Remaining(class), class)
		for range want {
			require.NoError(t, b.Take(class))
		}
		require.Error(t, b.Take(class), class)
		*now = now.Add(time.Minute + time.Second)
		assert.InDelta(t, want/3, b.Remaining(class), 1, class)
	}
	b, _ := newBudget()
	for range 10000 {
		require.NoError(t, b.Take("GET locations/operations"), "this class has no limit here")
	}
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
}

// TestBlock: a 429 empties the bucket, and nothing is sent until Azure allows it.
func TestBlock(t *testing.T) {
	b, now := newBudget()
	b.Block(ListInstances, 20*time.Minute)
	require.EqualError(t, b.Take(ListInstances), "request limit reached: retry in 20m0s; nothing was sent")
	assert.Zero(t, b.Remaining(ListInstances))
	assert.Positive(t, b.Remaining(WriteScaleSet))
	*now = now.Add(20*time.Minute + time.Second)
	require.NoError(t, b.Take(ListInstances))
	b.Block(ListInstances, 0)
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
			b.Block(WriteScaleSet, wait)
		}
		*now = now.Add(299 * time.Second)
		require.Error(t, b.Take(WriteScaleSet), waits)
		*now = now.Add(time.Second)
		assert.NoError(t, b.Take(WriteScaleSet), waits)
	}
}

// A list that has grown stops before Azure would reject its next page, and is
// assumed to cost more from then on.
func TestListThatHasGrown(t *testing.T) {
	b, now := newBudget()
	for range 8 {
		require.NoError(t, list(b, 3))
	}
	require.Equal(t, 2, b.Remaining(ListInstances))
	require.Error(t, list(b, 9), "6 calls are left")
	assert.Zero(t, b.Remaining(ListInstances))
	*now = now.Add(time.Minute)
	assert.Zero(t, b.Remaining(ListInstances), "it needs more than it did")
	*now = now.Add(time.Minute)
	require.Equal(t, 1, b.Remaining(ListInstances))
	require.NoError(t, list(b, 9))
	*now = now.Add(time.Minute)
	assert.Equal(t, 2, b.Remaining(ListInstances))
	for range 3 {
		_ = list(b, 40)
		*now = now.Add(5 * time.Minute)
	}
	require.Equal(t, 1, b.Remaining(ListInstances))
	require.NoError(t, list(b, 40), "a list that never fits is sent from a full bucket")
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
	require.NoError(t, b.Afford("GET anything", 1000, 0), "no limit is known")
}
