package instancegroup

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// F35: hundreds of instances vanish at once, and each must be read. What
// one reading found out is not lost when it fails.
func TestEvictionWave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(400)
		f.reads = 400
		g, _ := f.open(t)
		_, err := g.Refresh(t.Context())
		require.NoError(t, err)
		for range 300 {
			f.evict(0)
		}
		f.enter = func(op string, _ int) {
			if op == opGet {
				time.Sleep(160 * time.Millisecond)
			}
		}
		f.failNext(opGet, fault{err: azure(armerr.Transient, 500)})
		_, err = g.Refresh(t.Context())
		require.ErrorContains(t, err, "500")
		before := f.count(opGet)
		v, err := g.Refresh(t.Context())
		require.NoError(t, err)
		assert.Len(t, v.Members, 100)
		assert.Len(t, v.Gone, 300)
		assert.Less(t, f.count(opGet)-before, 300, "what was found out is read again")

		for range 90 {
			f.evict(0)
		}
		f.reads, before = 5, f.count(opGet)
		v, err = g.Refresh(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 5, f.count(opGet)-before, "as many as Azure's limits leave")
		assert.Len(t, v.Members, 95, "the others may have a job")
	})
}

// One instance that Azure refuses does not keep the others alive.
func TestBatchWithOneRefused(t *testing.T) {
	f := newFake(4)
	g, _ := f.open(t)
	refused := f.vms[2].InstanceID
	f.refuse = refused
	ids := []string{f.id(0), f.id(1), f.id(2), f.id(3)}
	done, err := g.Decrease(t.Context(), ids)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "\n")
	assert.ElementsMatch(t, []string{ids[0], ids[1], ids[3]}, done)
	assert.Len(t, f.deleted, 3)
}

// Azure that does not respond must not hold fleeting's loop for the number of
// instances times a time-out.
func TestDeletionIsBounded(t *testing.T) {
	for _, f := range []*fake{newFake(100), newFlexible(100)} {
		synctest.Test(t, func(t *testing.T) {
			g, _ := f.open(t)
			_, err := g.Refresh(t.Context())
			require.NoError(t, err)
			var ids []string
			for n := range 100 {
				ids = append(ids, f.id(n))
			}
			f.enter = func(op string, _ int) {
				if op == opDeleteVM || op == opGet {
					time.Sleep(30 * time.Second)
				}
			}
			f.failNext(opDelete, fault{err: azure(armerr.NotAllowedForMode, 400)})
			if f.set.Mode != vmss.Flexible {
				f.faults[opDelete] = []fault{{err: azure(armerr.InstanceGone, 400)}}
			}
			begun := time.Now()
			_, err = g.Decrease(t.Context(), ids)
			assert.LessOrEqual(t, time.Since(begun), writeTimeout+30*time.Second)
			if f.set.Mode != vmss.Flexible {
				require.NoError(t, err, "the others wait for their turn")
				return
			}
			require.Error(t, err)
			assert.Less(t, len(err.Error()), 1000)
		})
	}
}

// TestUnreadStaysWhatItWas: of instances that lists lack, as many are asked for as Azure's
// limits leave, in turn. One that nobody has looked at has not failed to come up.
func TestUnreadStaysWhatItWas(t *testing.T) {
	f, g, clock := opened(t, 3)
	_, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	id := f.id(3)
	require.Equal(t, Creating, refreshed(t, g).Find(id).State)
	f.boot()
	f.change(func() {
		for _, i := range f.vms {
			f.hidden[i.VMID] = true
		}
		f.reads = 0
	})
	for range 10 {
		clock.pass(DefaultCreationLimit / 5)
		require.Equal(t, Creating, refreshed(t, g).Find(id).State)
	}
	f.change(func() { f.reads = 1 })
	for range 4 {
		clock.pass(2 * time.Second)
		refreshed(t, g)
	}
	assert.Equal(t, Running, g.last().Find(id).State)
	assert.Equal(t, 4, f.count(opGet))
	for _, m := range g.last().Members {
		assert.Less(t, clock.now().Sub(m.seen), 10*time.Second, "each has had its turn")
	}
}
