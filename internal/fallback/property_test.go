package fallback

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestConservation: whatever the scale sets do, what was accepted is what they made and
// what the runner is told to be lost, an error comes with nothing, and a scale set is
// raised only where those before it are short or cannot be read.
func TestConservation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var fakes []*fake
		for _, name := range []string{"a", "b", "c"}[:rapid.IntRange(1, 3).Draw(t, "sets")] {
			fakes = append(fakes, &fake{name: name})
		}
		sets := open(t, fakes...)
		accepted, lost := 0, 0
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			for _, f := range fakes {
				f.room, f.late = rapid.IntRange(0, 6).Draw(t, "room"), rapid.IntRange(0, 2).Draw(t, "late")
				f.shortage = rapid.SampledFrom([]error{nil, errQuota}).Draw(t, "shortage")
				f.broken = rapid.SampledFrom([]error{nil, nil, errBroken}).Draw(t, "broken")
				f.told = rapid.SampledFrom([]error{nil, nil, errors.New("told")}).Draw(t, "told")
				f.asked = nil
			}
			if v, err := sets.Observe(context.Background()); err == nil {
				lost += sets.ReconcilePending(context.Background(), v, nil)
			}
			n := rapid.IntRange(1, 8).Draw(t, "n")
			before := make([]int, len(fakes))
			for k, f := range fakes {
				before[k] = f.room
			}
			got, err := sets.Increase(context.Background(), n)
			require.False(t, got < 0 || got > n || got > 0 && err != nil, "Increase(%d) is %d, %v", n, got, err)
			accepted += got
			requireOrder(t, fakes, before, sets)
		}
		made, pending := 0, 0
		for _, f := range fakes {
			made, pending = made+f.made, pending+f.lost
		}
		require.Equal(t, accepted, made+lost+pending)
	})
}

// requireOrder: none was raised that has an earlier one with room left.
func requireOrder(t *rapid.T, fakes []*fake, before []int, sets *Sets) {
	for n, f := range fakes {
		if f.room == before[n] {
			continue
		}
		for k, earlier := range fakes[:n] {
			require.False(t, earlier.room > 0 && sets.all[k].failure == nil && earlier.told == nil, "%s was raised, and %s has room", f.name, earlier.name)
		}
	}
}
