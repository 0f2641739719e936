package armapi

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const graphLink = `,"nextLink":"https://management.azure.com/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/ci/virtualMachines?useResourceGraph=true&page=2"`

var (
	byGraph    = http.Header{"X-Ms-User-Quota-Remaining": {"3990"}, "X-Ms-User-Quota-Resets-After": {"00:00:05"}}
	byProvider = http.Header{"X-Ms-Ratelimit-Remaining-Resource": {"Microsoft.Compute/HighCostGetVMScaleSetResource;12"}}
)

// graphed are the instances that a list through Resource Graph shows.
func graphed(t *testing.T, i vmss.Instances) (all []vmss.Instance, err error) {
	t.Helper()
	err = i.ListByGraph(t.Context(), func(string) string { return "" }, func(page []vmss.Instance) { all = append(all, page...) })
	return all, err
}

// TestListByGraph: all pages carry the parameter, and count against a quota of their own.
func TestListByGraph(t *testing.T) {
	c, s := newClient(t, reply{status: 200, header: byGraph, body: `{"value":[` + vmBody + `]` + graphLink + `}`}, reply{status: 200, header: byGraph, body: `{"value":[` + vmBody + `]}`})
	all, err := graphed(t, uniform{c})
	require.NoError(t, err)
	assert.Len(t, all, 2)
	require.Len(t, s.requests, 2)
	assert.Equal(t, "instanceView", s.requests[0].URL.Query().Get("$expand"))
	for _, r := range s.requests {
		assert.Equal(t, "true", r.URL.Query().Get(graphKey))
	}
	assert.Equal(t, 2, c.GraphRoom().Cost)
	assert.Equal(t, 30, uniform{c}.ListRoom().Pages)
	assert.Equal(t, 1, uniform{c}.ListRoom().Cost)
}

// TestListByGraphOfMachines has the filter of the other list.
func TestListByGraphOfMachines(t *testing.T) {
	c, s := newClient(t, reply{status: 200, header: byGraph, body: `{"value":[]}`})
	_, err := graphed(t, flexible{c})
	require.NoError(t, err)
	assert.Contains(t, s.requests[0].URL.Query().Get("$filter"), "'virtualMachineScaleSet/id' eq")
	assert.Equal(t, "true", s.requests[0].URL.Query().Get(graphKey))
}

// TestSilentFallback: a response of the provider is an error, shows nothing, counts
// against the provider's limit, and is the last.
func TestSilentFallback(t *testing.T) {
	c, s := newClient(t, reply{status: 200, header: byProvider, body: `{"value":[` + vmBody + `]` + graphLink + `}`})
	all, err := graphed(t, uniform{c})
	require.ErrorIs(t, err, vmss.ErrNotByGraph)
	assert.Empty(t, all)
	assert.Len(t, s.requests, 1)
	assert.Equal(t, 12, uniform{c}.ListRoom().Pages)

	c, _ = newClient(t, reply{status: 200, body: `{"value":[]}`})
	_, err = graphed(t, uniform{c})
	assert.ErrorContains(t, err, errUnknownSource.Error())
}

// TestGraphRefuses with 422 where the provider has to be asked: once.
func TestGraphRefuses(t *testing.T) {
	c, s := newClient(t, reply{status: 422, header: byGraph, body: `{"error":{"code":"Unprocessable","message":"x"}}`})
	_, err := graphed(t, uniform{c})
	e, ok := errors.AsType[*armerr.Error](err)
	require.True(t, ok)
	assert.Equal(t, 422, e.Status)
	assert.False(t, armerr.Is(err, armerr.Throttled))
	assert.Len(t, s.requests, 1)
}

// TestGraphIsThrottled by itself.
func TestGraphIsThrottled(t *testing.T) {
	c, s := newClient(t, reply{status: 429, header: http.Header{"X-Ms-User-Quota-Remaining": {"0"}, "X-Ms-User-Quota-Resets-After": {"00:00:30"}}})
	_, err := graphed(t, uniform{c})
	require.True(t, armerr.Is(err, armerr.Throttled), err)
	assert.Len(t, s.requests, 1)
	assert.Zero(t, c.GraphRoom().Pages)
	assert.Equal(t, 30, uniform{c}.ListRoom().Pages)
}

func TestClassByGraph(t *testing.T) {
	const list = "https://x/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachineScaleSets/ci/virtualMachines"
	for query, want := range map[string]budget.Class{"": budget.ListInstances, "?useResourceGraph=false": budget.ListInstances, "?x=1&useResourceGraph=true": budget.ListByGraph} {
		r, err := http.NewRequest(http.MethodGet, list+query, nil)
		require.NoError(t, err)
		assert.Equal(t, want, classOfRequest(r), query)
	}
}
