package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// TestMarkIsRemovedOnce: a view that is not read again goes on showing it, as does a list that is behind.
func TestMarkIsRemovedOnce(t *testing.T) {
	s := newSleeper(t, newFake(1))
	id := s.id(0)
	s.suspend(id)
	s.settlePower()
	s.update()
	s.resume(id)
	s.settlePower()
	for s.count(opMark) < 2 {
		s.update()
	}
	require.Equal(t, vmss.Suspended, s.last().Find(id).Mark)
	for range 20 {
		require.NoError(t, s.Tend(t.Context(), s.last()))
	}
	assert.Equal(t, 2, s.count(opMark), "set, and removed")

	s.vm(0, func(i *vmss.Instance) { i.Mark = vmss.Suspended })
	s.clock.pass(time.Minute)
	_, err := s.forceRefresh(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Tend(t.Context(), s.last()))
	assert.Equal(t, 2, s.count(opMark), "a list may be behind")
}

// TestPolicyMarkOfAnEarlierProcess goes once this one has resumed the instance, however
// long Azure refuses that, and whether the response to the start is lost or not.
func TestPolicyMarkOfAnEarlierProcess(t *testing.T) {
	for _, lost := range []bool{false, true} {
		f := newFake(1)
		f.vms[0].Mark, f.vms[0].ByPolicy, f.vms[0].PowerState = vmss.Suspended, true, "deallocated"
		s := newSleeper(t, f)
		if lost {
			s.failNext(opStart, fault{azure(armerr.Network, 0), true})
		}
		_, err := s.Resume(t.Context(), []string{s.id(0)})
		require.Equal(t, lost, err != nil)
		s.settlePower()
		s.failNext(opMark, fault{err: azure(armerr.Transient, 0)})
		for range 20 {
			s.update()
		}
		assert.Equal(t, []string{"running"}, s.states())
		assert.Zero(t, s.marks())
	}
}
