package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func newFlexible(instances int) *fake {
	f := newFake(instances)
	f.set.Mode = vmss.Flexible
	return f
}

// Where the list of VMs holds no models, a second list is read, and only while
// there are VMs that were not seen before.
func TestFlexibleListWithoutModels(t *testing.T) {
	f := newFlexible(3)
	f.bare = true
	g, _ := f.open(t)
	for range 3 {
		v, err := g.Refresh(t.Context())
		require.NoError(t, err)
		require.Len(t, v.Members, 3)
		for n, m := range v.Members {
			assert.Equal(t, Running, m.State)
			assert.Equal(t, f.id(n), m.MemberID)
		}
	}
	assert.Equal(t, 3, f.count(opList))
	assert.Equal(t, 1, f.count(opModels))
	f.foreign(4)
	f.failNext(opModels, fault{err: azure(armerr.Transient, 500)})
	_, err := g.Refresh(t.Context())
	require.ErrorContains(t, err, "500", "a list that is not whole is an error")
	v, err := g.Refresh(t.Context())
	require.NoError(t, err)
	assert.Len(t, v.Members, 4)
}

// No list of models is read where the first one holds them.
func TestFlexibleListWithModels(t *testing.T) {
	f := newFlexible(3)
	g, _ := f.open(t)
	v, err := g.Refresh(t.Context())
	require.NoError(t, err)
	assert.Len(t, v.Members, 3)
	assert.Zero(t, f.count(opModels))
}

// A scale set that takes no batches accepts some instances and not others: what
// was accepted counts, alongside the error.
func TestDeletionAcceptedInPart(t *testing.T) {
	f := newFlexible(3)
	g, clock := f.open(t)
	f.apart = true
	f.failNext(opDeleteOne, fault{err: azure(armerr.Forbidden, 403)})
	done, err := g.Decrease(t.Context(), []string{f.id(0), f.id(1), f.id(2)})
	require.ErrorContains(t, err, "403")
	assert.Len(t, done, 2, "one refusal does not harm the others")
	assert.Len(t, f.deleted, 2)
	clock.pass(time.Minute)
	done, err = g.Decrease(t.Context(), []string{f.id(0), f.id(1), f.id(2)})
	require.NoError(t, err)
	assert.Len(t, done, 3)
	assert.Len(t, f.deleted, 3)
}

func TestDeletionRefused(t *testing.T) {
	f := newFlexible(1)
	g, _ := f.open(t)
	f.failNext(opDelete, fault{err: azure(armerr.Forbidden, 403)})
	done, err := g.Decrease(t.Context(), []string{f.id(0)})
	require.ErrorContains(t, err, "403")
	assert.Empty(t, done)
}

func TestEvictionIsNamed(t *testing.T) {
	for _, f := range []*fake{newFake(1), newFlexible(1)} {
		f.set.Model.Spot.Priority = "Spot"
		g, _ := f.open(t)
		_, err := g.Refresh(t.Context())
		require.NoError(t, err)
		f.vm(0, func(i *vmss.Instance) { i.PowerState = "deallocated" })
		require.ErrorContains(t, g.Check(t.Context(), f.id(0)), "it was evicted")
		v, err := g.Refresh(t.Context())
		require.NoError(t, err)
		assert.Equal(t, Dead, v.Members[0].State)
		assert.Contains(t, v.Members[0].Reason, "evicted")
	}
}
