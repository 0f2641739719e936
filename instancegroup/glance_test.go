package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// many is a group of 200 instances in pages of 50, of which 30 are possible at once and
// 10 a minute, as of a Uniform scale set.
func many(t *testing.T, flexible bool) (*fake, *Group, *clock) {
	t.Helper()
	f := newFake(200)
	if flexible {
		f = newFlexible(200)
	}
	f.pageSize, f.perMinute, f.lists = 50, 10, 7
	g, clock := f.open(t)
	refreshed(t, g)
	return f, g, clock
}

// TestPageShowsNewInstances: five new instances need no list of two hundred.
func TestPageShowsNewInstances(t *testing.T) {
	f, g, clock := many(t, false)
	accepted, err := g.Increase(t.Context(), 5)
	require.NoError(t, err)
	require.Equal(t, 5, accepted)
	discovered := 0
	for clock.now().Before(start.Add(3 * time.Minute)) {
		clock.pass(2 * time.Second)
		if clock.now().Sub(start) > 90*time.Second {
			f.boot()
		}
		before := len(g.last().Members)
		v, err := g.Observe(t.Context())
		require.NoError(t, err)
		assert.Zero(t, g.ReconcilePending(t.Context(), v, len(v.Members)-before))
		discovered += len(v.Members) - before
	}
	assert.Equal(t, 5, discovered)
	for n := 200; n < 205; n++ {
		assert.Equal(t, Running, g.last().Find(f.id(n)).State)
	}
	assert.LessOrEqual(t, f.count(opList), 4, "one a minute")
	assert.Positive(t, f.count(opPage))
	assert.Less(t, f.count(opPage), 40)
	assert.Empty(t, g.ledger.increases)
}

// TestPagesEndNothing: what a page lacks may be on another. The whole list tells, and
// each instance is asked for.
func TestPagesEndNothing(t *testing.T) {
	f, g, clock := many(t, false)
	_, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	f.boot()
	f.evict(0) // all the others move on to other pages
	gone := ""
	for range 11 {
		clock.pass(5 * time.Second)
		v := refreshed(t, g)
		require.Len(t, v.Members, 200+min(1, f.count(opPage)))
		gone = v.Members[0].MemberID
	}
	require.Positive(t, f.count(opPage))
	clock.pass(time.Hour)
	assert.Contains(t, refreshed(t, g).Gone, gone)
	assert.Equal(t, 1, f.count(opGet))
}

// TestUpBeforeItsAddressIsRead: a page shows an instance that has long come up, and
// nobody has read its address yet. It has not failed to start.
func TestUpBeforeItsAddressIsRead(t *testing.T) {
	f, g, clock := opened(t, 1)
	f.foreign(2)
	refreshed(t, g)
	f.boot()
	clock.pass(DefaultCreationLimit + 1)
	v := refreshed(t, g)
	assert.Equal(t, Running, v.Find(f.id(1)).State)
	require.NoError(t, g.Reap(t.Context(), v))
	assert.Empty(t, f.sent)
}

// TestLinkIsRefused: Azure does not promise that a link works later. The whole list is
// read then, and in the end no page again.
func TestLinkIsRefused(t *testing.T) {
	f, g, clock := many(t, false)
	for range 2 * refusalsAllowed {
		f.failNext(opPage, fault{err: azure(armerr.Invalid, 400)})
	}
	_, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	for range 600 {
		clock.pass(10 * time.Second)
		refreshed(t, g)
	}
	assert.Equal(t, refusalsAllowed, f.count(opPage))
	assert.Greater(t, f.count(opList), refusalsAllowed)
	assert.Len(t, g.last().Members, 201)
}

// TestIdentityOfMany: of many instances no number can have been given to another if the
// scale set has not been written since they were listed, which takes one read.
func TestIdentityOfMany(t *testing.T) {
	f, g, clock := many(t, false)
	clock.pass(4 * time.Minute)
	sets := f.count(opSet)
	done, err := g.Decrease(t.Context(), []string{f.id(0), f.id(60), f.id(120)})
	require.NoError(t, err)
	assert.Len(t, done, 3)
	assert.Zero(t, f.count(opGet))
	assert.Equal(t, 1, f.count(opSet)-sets)

	clock.pass(time.Minute) // the deletion itself has written it
	done, err = g.Decrease(t.Context(), []string{f.id(1), f.id(61)})
	require.NoError(t, err)
	assert.Empty(t, done, "they wait for their page")
	assert.Zero(t, f.count(opGet))
	clock.pass(proofPatience)
	done, err = g.Decrease(t.Context(), []string{f.id(1), f.id(61)})
	require.NoError(t, err)
	assert.Len(t, done, 2)
	assert.Equal(t, 2, f.count(opGet), "and not for longer")
}

// TestPageProvesIdentity, if it was read after the last write of the capacity: a number
// is given to another instance when that is created.
func TestPageProvesIdentity(t *testing.T) {
	f, g, clock := many(t, false)
	f.change(func() {}) // somebody writes the scale set
	a, b := f.id(0), f.id(1)
	done, err := g.Decrease(t.Context(), []string{a})
	require.NoError(t, err)
	assert.Equal(t, []string{a}, done)
	clock.pass(gatherScarce)
	_, err = g.Increase(t.Context(), 1)
	require.NoError(t, err)
	done, err = g.Decrease(t.Context(), []string{b})
	require.NoError(t, err)
	assert.Empty(t, done, "its number may have been given to the new one")
	clock.pass(proofAge)
	g.takeSeen(t, f, b)
	done, err = g.Decrease(t.Context(), []string{b})
	require.NoError(t, err)
	assert.Equal(t, []string{b}, done)
	assert.Zero(t, f.count(opGet))
}

// takeSeen has a page read that shows an instance.
func (g *Group) takeSeen(t *testing.T, f *fake, id string) {
	t.Helper()
	p, err := f.Instances(vmss.Uniform).ReadPage(t.Context(), "", nil)
	require.NoError(t, err)
	g.mu.Lock()
	r := &reading{Group: g, at: g.now(), number: g.inventory.beginReading(), pages: []int{0}}
	g.mu.Unlock()
	r.takePage(p)
	require.Equal(t, g.now(), g.last().Find(id).seen)
}

// TestNamesAreNeverGivenAgain: many instances of a Flexible scale set need no proof.
func TestNamesAreNeverGivenAgain(t *testing.T) {
	f, g, clock := many(t, true)
	f.change(func() {})
	clock.pass(4 * time.Minute)
	done, err := g.Decrease(t.Context(), []string{f.id(0), f.id(1)})
	require.NoError(t, err)
	assert.Len(t, done, 2)
	assert.Zero(t, f.count(opGet))
}

// TestDeletionsGather where the list is long: one call serves many.
func TestDeletionsGather(t *testing.T) {
	for pages, want := range map[float64]int{10: 7, 300: 4} {
		f, g, clock := many(t, true)
		f.perMinute = pages
		for n := range 20 {
			_, err := g.Decrease(t.Context(), []string{f.id(n)})
			require.NoError(t, err)
			clock.pass(2 * time.Second)
		}
		assert.LessOrEqual(t, f.count(opDelete), want)
	}
}
