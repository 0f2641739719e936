package sim

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPool: children play what a bubble of this process does.
func TestPool(t *testing.T) {
	t.Parallel()
	all := poisson(40, time.Minute, 5*time.Minute)
	p, err := NewPool(t.Context(), 2, all)
	require.NoError(t, err)
	defer p.Close()
	s := oneUse(Policy{IdleCount: 1, IdleTime: 5 * time.Minute})
	want := run(t, s, all)
	for range 3 {
		got, err := p.Play(t.Context(), s)
		require.NoError(t, err)
		assert.True(t, want.Start.Equal(got.Start))
		assert.InDelta(t, whole(want, all).Mean.Seconds(), whole(got, all).Mean.Seconds(), 10, "what happens at the same time has no order")
	}
	s.From, s.To = 10, 20
	got, err := p.Play(t.Context(), s)
	require.NoError(t, err)
	assert.Len(t, got.Waits, 10)
	s.MaxInstances = 0
	_, err = p.Play(t.Context(), s)
	require.EqualError(t, err, "max_instances must be 1 or more")
}

// TestAnEndedChildIsAnError, and not a process that waits for ever.
func TestAnEndedChildIsAnError(t *testing.T) {
	t.Parallel()
	p, err := NewPool(t.Context(), 1, burst(1, 0))
	require.NoError(t, err)
	require.NoError(t, p.all[0].command.Process.Kill())
	_, err = p.Play(t.Context(), oneUse(Policy{}))
	require.ErrorContains(t, err, "a simulation ended early: ")
}

func TestInterruptedPool(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := NewPool(ctx, 1, burst(1, time.Hour))
	require.NoError(t, err)
	defer p.Close()
	cancel()
	_, err = p.Play(ctx, oneUse(Policy{}))
	require.ErrorIs(t, err, context.Canceled)
}
