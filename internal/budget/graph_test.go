package budget

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func quotaLeft(left string) http.Header { return http.Header{"X-Ms-User-Quota-Remaining": {left}} }

// TestGraphQuota: the quota is that of a moving minute, of which half flows in and half is
// there at once, so that no minute has more. Resource Manager's limit holds as well.
func TestGraphQuota(t *testing.T) {
	b, now := newBudget()
	sent := 0
	for began := *now; now.Sub(began) < time.Minute; *now = now.Add(time.Second) {
		b.bucketLocked(managerReads).tokens = 250
		for b.Take(ListByGraph) == nil {
			sent++
		}
	}
	assert.Less(t, sent, 4000)
	assert.Greater(t, sent, 3000)
	b, _ = newBudget()
	assert.Equal(t, 210, b.Room(ListByGraph).Pages)
	require.NoError(t, b.Take(ListByGraph))
	assert.Equal(t, Room{Pages: 30, Cost: 1, PerMinute: 10}, b.Room(ListInstances))
	assert.Equal(t, 209, b.Room(ListVirtualMachines).Pages)
}

// TestGraphHeaders: others use up the quota, too.
func TestGraphHeaders(t *testing.T) {
	b, now := newBudget()
	b.Correct(ListByGraph, quotaLeft("200"))
	assert.Equal(t, 149, b.Room(ListByGraph).Pages, "some is left to others")
	b.Correct(ListByGraph, http.Header{"X-Ms-Ratelimit-Remaining-Resource": {"Microsoft.Compute/HighCostGetVMScaleSetResource;3"}})
	assert.Equal(t, 149, b.Room(ListByGraph).Pages, "it is Compute's")
	b.Block(ListByGraph, 0, http.Header{"X-Ms-User-Quota-Remaining": {"0"}, "X-Ms-User-Quota-Resets-After": {"00:00:40"}})
	assert.Zero(t, b.Room(ListByGraph).Pages)
	assert.Equal(t, 30, b.Room(ListInstances).Pages, "it blocks nothing else")
	*now = now.Add(39 * time.Second)
	require.Error(t, b.Take(ListByGraph))
	*now = now.Add(time.Second)
	require.NoError(t, b.Take(ListByGraph))
}

// TestProviderAnswered: what Resource Graph does not answer counts against the provider's
// limit.
func TestProviderAnswered(t *testing.T) {
	b, _ := newBudget()
	h := http.Header{"X-Ms-Ratelimit-Remaining-Resource": {"Microsoft.Compute/HighCostGetVMScaleSetResource;12"}}
	assert.True(t, ByProvider(h))
	assert.False(t, ByGraph(h))
	b.Charge(ListInstances, h)
	assert.Equal(t, 12, b.Room(ListInstances).Pages)
	b.Charge(ListInstances, http.Header{})
	assert.Equal(t, 11, b.Room(ListInstances).Pages)
	assert.True(t, ByGraph(quotaLeft("3999")))
	assert.False(t, ByProvider(http.Header{}), "nothing tells")
}
