package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
