package arm

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// TestAFaultOfTheSimulatorIsAResponse: a client sees 500 and not a connection that breaks,
// and the journal has it.
func TestAFaultOfTheSimulatorIsAResponse(t *testing.T) {
	t.Parallel()
	clock := world.NewClock(true, 1)
	rules := fault.NewRules(1, clock, Operations())
	w, err := world.New(world.Config{SubscriptionID: "s", Location: "l", Seed: 1, Clock: clock, Catalog: catalog.New("l"), Faults: rules})
	require.NoError(t, err)
	journal := azhttp.NewJournal()
	f := New(Config{
		SubscriptionID: "s", TenantID: "t", Location: "l", PageSize: 3, World: w, Rules: rules, Journal: journal,
		Gate: azhttp.Gate{Clock: clock}, Lock: &sync.Mutex{},
	}) // without an Issuer: what reads the token panics
	f.routes = []route{{"Broken_Get", http.MethodGet, "/subscriptions/{subscription}", "", limitNone, getSubscription}}

	recorder := httptest.NewRecorder()
	f.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/subscriptions/s?api-version=2022-12-01", nil))
	assert.Equal(t, http.StatusInternalServerError, recorder.Code)
	assert.Contains(t, recorder.Body.String(), "VerifyLocked")
	entries := journal.After(0)
	require.Len(t, entries, 1)
	assert.Equal(t, http.StatusInternalServerError, entries[0].Status)
	assert.Equal(t, "InternalServerError", entries[0].Code)
}
