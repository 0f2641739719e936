package armsim_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// armLimits are Resource Manager's for a principal: Microsoft's page on request
// limits and throttling.
var armLimits = []struct {
	kind, method string
	burst        int
	refill       time.Duration // of one
}{
	{"read", http.MethodGet, 250, time.Second / 25},
	{"write", http.MethodPut, 200, time.Second / 10},
	{"delete", http.MethodDelete, 200, time.Second / 10},
}

// ask sends a request of a kind that no provider's limit stands in the way of.
func (s *sim) ask(t tb, method string, n int) reply {
	t.Helper()
	switch method {
	case http.MethodGet:
		return s.get(t, s.ResourcePath(""))
	case http.MethodPut:
		return s.send(t, method, s.ResourcePath(""), object{"location": "westeurope"})
	}
	return s.send(t, method, s.ResourcePath(fmt.Sprintf("/providers/Microsoft.Network/networkInterfaces/none%d", n)), nil)
}

func TestResourceManagersLimits(t *testing.T) {
	t.Parallel()
	for _, c := range armLimits {
		t.Run(c.kind, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{Throttle: true})
			header := "x-ms-ratelimit-remaining-subscription-" + c.kind + "s"
			global := "x-ms-ratelimit-remaining-subscription-global-" + c.kind + "s"
			for n := range c.burst {
				r := s.ask(t, c.method, n)
				require.Less(t, r.status, 300, r.raw)
				require.Equal(t, fmt.Sprint(c.burst-1-n), r.header.Get(header))
				require.Equal(t, fmt.Sprint(15*c.burst-1-n), r.header.Get(global))
			}
			r := s.ask(t, c.method, 0)
			assert.Equal(t, []any{http.StatusTooManyRequests, "SubscriptionRequestsThrottled"}, []any{r.status, r.code()})
			assert.Contains(t, r.message(), "Number of '"+c.kind+"' requests for subscription '"+armsim.DefaultSubscriptionID+"' actor '"+armsim.DefaultClientID+"' exceeded.")
			assert.Equal(t, "1", r.header.Get("Retry-After"))
			s.Advance(c.refill)
			assert.Less(t, s.ask(t, c.method, 0).status, 300)
			assert.Equal(t, http.StatusTooManyRequests, s.ask(t, c.method, 0).status, "one more at a time")
			for _, other := range armLimits {
				if other.kind != c.kind {
					assert.Less(t, s.ask(t, other.method, 0).status, 300, "of another kind")
				}
			}
		})
	}
}

// TestResourceManagerComesFirst: its limit is met before a provider's, and what
// it refuses draws from none of these. POST and PATCH are writes.
func TestResourceManagerComesFirst(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	s.Advance(time.Hour)
	for n := range 200 {
		s.ask(t, http.MethodPut, n)
	}
	for _, r := range []reply{s.send(t, "PATCH", set, `{}`), s.send(t, "POST", set+"/start", nil)} {
		assert.Equal(t, "SubscriptionRequestsThrottled", r.code())
		assert.Empty(t, r.remaining())
	}
	s.Advance(time.Second)
	r := s.send(t, "PATCH", set, `{}`)
	assert.Contains(t, r.remaining(), "UpdateVMScaleSetResource;11")
	assert.Equal(t, "9", r.header.Get("x-ms-ratelimit-remaining-subscription-writes"))
}

// TestPrincipalsHaveLimitsOfTheirOwn: two tokens of one share its limit; the
// subscription's is for all of them.
func TestPrincipalsHaveLimitsOfTheirOwn(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true, Principals: []armsim.Principal{{ClientID: "one", Secret: "s"}, {ClientID: "two", Secret: "s"}}})
	s.Advance(time.Second) // else it is the same token
	token := func(client string) string {
		return s.form(t, armsim.DefaultTenantID, map[string]string{"client_id": client, "client_secret": "s"}).text("access_token")
	}
	same, other := token("one"), token("two")
	require.NotEqual(t, s.bearer, same)
	for n := range 150 {
		s.ask(t, http.MethodGet, n)
	}
	s.bearer = same
	assert.Equal(t, "99", s.ask(t, http.MethodGet, 0).header.Get("x-ms-ratelimit-remaining-subscription-reads"))
	s.bearer = other
	r := s.ask(t, http.MethodGet, 0)
	assert.Equal(t, "249", r.header.Get("x-ms-ratelimit-remaining-subscription-reads"))
	assert.Equal(t, fmt.Sprint(3750-152), r.header.Get("x-ms-ratelimit-remaining-subscription-global-reads"))
}

func TestResourceManagersLimitsAreOnlyReportedByDefault(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	for n := range 252 {
		require.Equal(t, http.StatusOK, s.ask(t, http.MethodGet, n).status)
	}
	assert.Equal(t, "0", s.ask(t, http.MethodGet, 0).header.Get("x-ms-ratelimit-remaining-subscription-reads"))
}

// TestNeighbour: what is left holds less and refills more slowly; what a scale set
// has is its own.
func TestNeighbour(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	s.Advance(time.Hour)
	const reads = "x-ms-ratelimit-remaining-subscription-reads"
	require.NoError(t, s.ShareLimits(0.8))
	r := s.get(t, set)
	assert.Equal(t, "49", r.header.Get(reads))
	assert.Equal(t, "GetVMScaleSetSubscriptionMaximum;479,GetVMScaleSetResource;35", r.remaining())
	for n := range 49 {
		require.Equal(t, http.StatusOK, s.ask(t, http.MethodGet, n).status)
	}
	require.Equal(t, http.StatusTooManyRequests, s.ask(t, http.MethodGet, 0).status)
	s.Advance(time.Second)
	assert.Equal(t, "4", s.ask(t, http.MethodGet, 0).header.Get(reads), "5 a second")
	require.NoError(t, s.ShareLimits(0))
	s.Advance(time.Second)
	assert.Equal(t, "28", s.ask(t, http.MethodGet, 0).header.Get(reads), "25 a second")
	for _, wrong := range []float64{-0.1, 1} {
		assert.ErrorContains(t, s.ShareLimits(wrong), "from 0 to below 1")
	}
}

// TestThrottledIsCounted by who throttled, and by operation.
func TestThrottledIsCounted(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	s.Advance(time.Hour)
	for range updateBurst + 2 {
		s.send(t, "PATCH", set, `{}`)
	}
	for n := range 250 + 3 {
		s.ask(t, http.MethodGet, n)
	}
	stats := s.Stats()
	assert.Equal(t, armsim.Throttling{
		ResourceManager: map[string]int{"ResourceGroups_Get": 3}, Provider: map[string]int{"VirtualMachineScaleSets_Update": 2},
	}, stats.Throttled)
	assert.Equal(t, 253, stats.Requests["ResourceGroups_Get"])
}
