package armsim_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const eventsPath = "/subscriptions/" + armsim.DefaultSubscriptionID + "/providers/Microsoft.Insights/eventtypes/management/values"

func eventsTarget(filter, fields string) string {
	q := url.Values{"api-version": {"2015-04-01"}, "$filter": {filter}}
	if fields != "" {
		q.Set("$select", fields)
	}
	return eventsPath + "?" + q.Encode()
}

// events are what the activity log has for a filter, the newest first.
func (s *sim) events(t *testing.T, filter, fields string) []any {
	t.Helper()
	var all []any
	for target := eventsTarget(filter, fields); target != ""; {
		r := s.get(t, target)
		require.Equal(t, http.StatusOK, r.status, r.raw)
		all = append(all, r.values()...)
		target = r.text("nextLink")
	}
	return all
}

// since is so long before the time of a request that is made now.
func (s *sim) since(t *testing.T, d time.Duration) string {
	s.get(t, s.ResourcePath(""))
	all := s.Journal()
	return all[len(all)-1].Time.Add(-d).UTC().Format(time.RFC3339Nano)
}

// TestActivityLog: a write is one event at its beginning, one at its response and, where it
// began an operation, one at its end; reads are none.
func TestActivityLog(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, PageSize: 2})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	s.Advance(time.Hour)
	begin := s.since(t, 0)
	s.get(t, set)
	r := s.send(t, "POST", set+"/start", nil)
	require.Equal(t, http.StatusAccepted, r.status)
	s.Advance(time.Second)
	assert.Equal(t, http.StatusBadRequest, s.deleteInstances(t, set, "17").status)
	s.Advance(settled)

	all := s.events(t, "eventTimestamp ge '"+begin+"'", "")
	var seen [][]any
	for _, e := range all {
		seen = append(seen, []any{get(e, "operationName.value"), get(e, "eventName.value"), get(e, "status.value"), get(e, "subStatus.value"), get(e, "level")})
	}
	const action = "Microsoft.Compute/virtualMachineScaleSets/"
	assert.Equal(t, [][]any{
		{action + "start/action", "EndRequest", "Succeeded", "", "Informational"},
		{action + "delete/action", "EndRequest", "Failed", "BadRequest", "Error"},
		{action + "delete/action", "BeginRequest", "Started", "", "Informational"},
		{action + "start/action", "EndRequest", "Accepted", "Accepted", "Informational"},
		{action + "start/action", "BeginRequest", "Started", "", "Informational"},
	}, seen)
	first, last := all[0], all[4]
	assert.Equal(t, set, get(first, "resourceId"))
	assert.Equal(t, set, get(first, "authorization.scope"))
	assert.Equal(t, "Microsoft.Compute/virtualMachineScaleSets", get(first, "resourceType.value"))
	assert.Equal(t, "ci", get(first, "resourceGroupName"))
	assert.Equal(t, s.Principal.Object(), get(first, "caller"))
	assert.Equal(t, r.header.Get("x-ms-correlation-request-id"), get(first, "correlationId"))
	assert.Equal(t, get(first, "correlationId"), get(last, "correlationId"))
	assert.NotEqual(t, get(first, "eventDataId"), get(last, "eventDataId"))
	assert.Contains(t, get(all[1], "properties.statusMessage"), "InvalidParameter")
}

func TestFiltersOfTheActivityLog(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	begin := s.since(t, time.Minute)
	set, other := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"}), s.scaleSet(t, armsim.ScaleSetSpec{Name: "other"})
	correlation := s.send(t, "PATCH", set, `{}`).header.Get("x-ms-correlation-request-id")
	s.Advance(settled)
	s.send(t, "PATCH", other, `{`)
	count := func(more string) int { return len(s.events(t, "eventTimestamp ge '"+begin+"'"+more, "")) }
	for filter, want := range map[string]int{
		" and resourceUri eq '" + set + "'":                                   6, // its PUT and its PATCH
		" and resourceId eq " + other:                                         5,
		" and correlationId eq '" + correlation + "'":                         3,
		" and correlationId eq '" + correlation + "' and status eq 'Started'": 1,
		" and resourceGroupName eq 'none'":                                    0,
		" and resourceProvider eq 'microsoft.compute' and status eq 'Failed'": 1,
		" and eventChannels eq 'Admin, Operation' and caller eq 'nobody'":     0,
		" and eventTimestamp le '" + begin + "'":                              0,
	} {
		assert.Equal(t, want, count(filter), filter)
	}
	assert.Equal(t, count(""), len(s.events(t, "eventTimestamp ge "+begin+" and eventTimestamp le "+s.since(t, -time.Hour)+" and eventChannels eq 'Admin, Operation'", "")))
	assert.Equal(t, count(""), len(s.events(t, "eventTimestamp ge 2016-11-17", "")))
	fields := s.events(t, "eventTimestamp ge 2016-11-17", "eventName,Status")[0].(object)
	assert.Len(t, fields, 2)
	for filter, want := range map[string]int{"": 400, "resourceGroupName eq 'ci'": 400, "eventTimestamp ge 'yesterday'": 400, "eventTimestamp ge 2016-11-17 and colour eq 'red'": 501} {
		assert.Equal(t, want, s.get(t, eventsTarget(filter, "")).status, filter)
	}
}

// TestActivityLogShowsWhatMayBeRead, and holds no more than that.
func TestActivityLogShowsWhatMayBeRead(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Principals: []armsim.Principal{
		{ClientID: "owner", Secret: "s"}, {ClientID: "guest", Secret: "s", Roles: []armsim.Role{{Name: "Reader", Scope: "/resourceGroups/none"}}},
	}})
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	require.NotEmpty(t, s.events(t, "eventTimestamp ge 2016-11-17", ""))
	s.bearer = s.form(t, armsim.DefaultTenantID, map[string]string{"client_id": "guest", "client_secret": "s"}).text("access_token")
	assert.Empty(t, s.events(t, "eventTimestamp ge 2016-11-17", ""))
}
