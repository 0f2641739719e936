package arm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGraphQuota: 4,000 requests within a minute that moves. Resource Manager takes 1,750
// in one, so that a single client does not reach it.
func TestGraphQuota(t *testing.T) {
	t.Parallel()
	q := graphQuota{enforce: true, sent: map[string][]time.Time{}}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for n := range graphRequests {
		left, resets, ok := q.take("one", now)
		require.True(t, ok)
		require.Equal(t, graphRequests-1-n, left)
		require.Equal(t, time.Duration(60-n/1000*2)*time.Second, resets)
		if n%1000 == 999 {
			now = now.Add(2 * time.Second)
		}
	}
	left, resets, ok := q.take("one", now)
	assert.Equal(t, []any{0, 52 * time.Second, false}, []any{left, resets, ok})
	_, _, ok = q.take("another", now)
	assert.True(t, ok)
	left, _, ok = q.take("one", now.Add(53*time.Second))
	assert.Equal(t, []any{999, true}, []any{left, ok})
}
