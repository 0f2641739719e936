package armapi

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// TestPowerNeverMeetsAll: without IDs, or with a wildcard, Azure takes all instances.
func TestPowerNeverMeetsAll(t *testing.T) {
	for _, ids := range [][]string{nil, {}, {"*"}, {"1", ""}} {
		c, s := newClient(t, accepted)
		for _, i := range []vmss.Instances{uniform{c}, flexible{c}} {
			done, err := i.Deallocate(t.Context(), ids, false)
			require.Error(t, err)
			assert.Empty(t, done)
			_, err = i.Start(t.Context(), ids)
			require.Error(t, err)
		}
		assert.Empty(t, s.requests)
	}
}

func TestHibernationIsAskedFor(t *testing.T) {
	for _, hibernate := range []bool{false, true} {
		c, s := newClient(t, accepted)
		done, err := flexible{c}.Deallocate(t.Context(), []string{"a", "b"}, hibernate)
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b"}, done.Accepted)
		assert.NotEmpty(t, done.Operation)
		assert.JSONEq(t, `{"instanceIds":["a","b"]}`, s.bodies[0])
		assert.Equal(t, hibernate, s.requests[0].URL.Query().Get("hibernate") == "true")
	}
}

// TestFlexiblePowerFallsBackToVMs where the scale set refuses the call.
func TestFlexiblePowerFallsBackToVMs(t *testing.T) {
	c, s := newClient(t, notForMode, accepted, forbidden, accepted)
	done, err := flexible{c}.Start(t.Context(), []string{"a", "b", "c"})
	require.ErrorContains(t, err, `start virtual machine "b" of scale set "ci": AuthorizationFailed (403)`)
	assert.Equal(t, vmss.PowerOutcome{Accepted: []string{"a", "c"}}, done, "there are several operations")
	assert.Equal(t, []string{
		"POST virtualMachineScaleSets/ci/start", "POST virtualMachines/a/start", "POST virtualMachines/b/start", "POST virtualMachines/c/start",
	}, s.requestLines())
	c, _ = newClient(t, forbidden)
	_, err = flexible{c}.Start(t.Context(), []string{"a"})
	assert.Equal(t, armerr.Forbidden, armerr.KindOf(err))
}

// TestPowerInDoubt is about those that were sent, and whose response was lost.
func TestPowerInDoubt(t *testing.T) {
	lost := reply{status: 500}
	c, _ := newClient(t, notForMode, accepted, forbidden, lost)
	done, err := flexible{c}.Deallocate(t.Context(), []string{"a", "b", "c", "d"}, false)
	require.Error(t, err)
	assert.Equal(t, []string{"a"}, done.Accepted)
	assert.Equal(t, []string{"c"}, done.Doubtful)
	c, _ = newClient(t, lost)
	done, err = uniform{c}.Deallocate(t.Context(), []string{"1", "2"}, false)
	require.Error(t, err)
	assert.Equal(t, vmss.PowerOutcome{Doubtful: []string{"1", "2"}}, done)
}
