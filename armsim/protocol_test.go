package armsim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestRefusedRequests(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	ids := s.ids(t, set)
	none := s.ScaleSetPath("none")
	elsewhere := strings.Replace(set, "resourceGroups/ci/", "resourceGroups/none/", 1)
	patch := http.MethodPatch
	for name, c := range map[string]struct {
		method, target string
		body           any
		status         int
		code           string
	}{
		"api-version missing":           {"GET", set + "?x=1", nil, 400, "MissingApiVersionParameter"},
		"api-version no date":           {"GET", set + "?api-version=latest", nil, 400, "InvalidApiVersionParameter"},
		"api-version unknown":           {"GET", set + "?api-version=2099-01-01", nil, 400, "NoRegisteredProviderFound"},
		"api-version too old":           {"GET", set + "?api-version=2014-01-01", nil, 400, "NoRegisteredProviderFound"},
		"unknown subscription":          {"GET", "/subscriptions/11111111-0000-4000-8000-000000000000", nil, 404, "SubscriptionNotFound"},
		"unknown group":                 {"GET", elsewhere, nil, 404, "ResourceGroupNotFound"},
		"interfaces, no group":          {"GET", elsewhere + "/networkInterfaces", nil, 404, "ResourceGroupNotFound"},
		"unknown set":                   {"GET", none, nil, 404, "ResourceNotFound"},
		"interfaces, no set":            {"GET", none + "/networkInterfaces", nil, 404, "NotFound"},
		"unknown instance":              {"GET", set + "/virtualMachines/99", nil, 404, "NotFound"},
		"overlong instance id":          {"GET", set + "/virtualMachines/" + strings.Repeat("9", 400), nil, 404, "NotFound"},
		"instance id no number":         {"GET", set + "/virtualMachines/ci_0", nil, 400, "InvalidParameter"},
		"unknown operation":             {"GET", s.operationPath("none"), nil, 404, "NotFound"},
		"bad JSON":                      {patch, set, `{"sku":`, 400, "InvalidRequestContent"},
		"JSON of another kind":          {patch, set, `[1]`, 400, "InvalidRequestContent"},
		"JSON null":                     {patch, set, `null`, 400, "InvalidRequestContent"},
		"capacity below 0":              {patch, set, `{"sku":{"capacity":-1}}`, 400, "BadRequest"},
		"capacity no number":            {patch, set, `{"sku":{"capacity":"5"}}`, 400, "BadRequest"},
		"capacity of parts":             {patch, set, `{"sku":{"capacity":1.5}}`, 400, "BadRequest"},
		"capacity over the limit":       {patch, set, `{"sku":{"capacity":1001}}`, 400, "InvalidParameter"},
		"Regular becomes Spot":          {patch, set, `{"properties":{"virtualMachineProfile":{"priority":"Spot"}}}`, 409, "PropertyChangeNotAllowed"},
		"fixed property":                {patch, set, `{"properties":{"orchestrationMode":"Flexible"}}`, 409, "PropertyChangeNotAllowed"},
		"set without location":          {"PUT", none, `{"sku":{"name":"Standard_D2s_v5"}}`, 400, "LocationRequired"},
		"set without size":              {"PUT", none, `{"location":"westeurope"}`, 400, "InvalidParameter"},
		"set that is not there":         {patch, none, `{}`, 404, "ResourceNotFound"},
		"bad skip token":                {"GET", set + "/virtualMachines?api-version=" + version + "&$skiptoken=!", nil, 400, "InvalidParameter"},
		"skip token of another service": {"GET", set + "/virtualMachines?api-version=" + version + "&$skiptoken=Zm9v", nil, 400, "InvalidParameter"},
		"deletion without ids":          {"POST", set + "/delete", `{}`, 400, "InvalidParameter"},
		"route that is not there":       {"POST", set + "/redeploy", `{}`, 501, "NotImplemented"},
		"method that is not there":      {patch, s.ResourcePath(""), `{}`, 501, "NotImplemented"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.send(t, c.method, c.target, c.body)
			assert.Equal(t, c.status, r.status, r.raw)
			assert.Equal(t, c.code, r.code())
			assert.NotEmpty(t, r.message())
			assert.NotEmpty(t, r.header.Get("x-ms-request-id"))
		})
	}
	assert.Equal(t, ids, s.ids(t, set), "a refused request changed something")
}

func (s *sim) operationPath(id string) string {
	return "/subscriptions/" + armsim.DefaultSubscriptionID + "/providers/Microsoft.Compute/locations/westeurope/operations/" + id
}

func TestNotSimulatedIsRecorded(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	filtered := set + "/virtualMachines?api-version=" + version + "&$filter=x"
	for _, target := range []string{set + "/osUpgradeHistory", filtered} {
		assert.Equal(t, http.StatusNotImplemented, s.get(t, target).status)
	}
	assert.Equal(t, []string{"GET " + set + "/osUpgradeHistory", "GET " + set + "/virtualMachines"}, s.Stats().NotSimulated)
}

func TestPathsAndQueriesInAnyCase(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	for _, path := range []string{set, set + "/virtualMachines/" + s.ids(t, set)[0], set + "/networkInterfaces", set + "/instanceView"} {
		for _, target := range []string{strings.ToLower(path), strings.ToUpper(path)} {
			r := s.get(t, target+"?API-Version="+version)
			assert.Equal(t, http.StatusOK, r.status, "%s: %s", target, r.raw)
		}
	}
}

func TestMissingActionIsNamed(t *testing.T) {
	t.Parallel()
	const set = "Microsoft.Compute/virtualMachineScaleSets/"
	poor := armsim.Principal{ClientID: "poor", Secret: "s", Actions: []string{
		set + "read", "microsoft.compute/VIRTUALMACHINESCALESETS/*/read",
	}}
	s := virtual(t, armsim.Config{Principals: []armsim.Principal{poor}})
	path := s.ScaleSetPath("ci")
	for name, c := range map[string]struct{ method, path, missing string }{
		"read":             {"GET", path, ""},
		"read below":       {"GET", path + "/virtualMachines", ""},
		"write":            {"PATCH", path, set + "write"},
		"delete":           {"DELETE", path, set + "delete"},
		"delete instances": {"POST", path + "/delete", set + "delete/action"},
		"start":            {"POST", path + "/start", set + "start/action"},
		"another provider": {"GET", s.ResourcePath(""), "Microsoft.Resources/subscriptions/resourceGroups/read"},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.send(t, c.method, c.path, nil)
			if c.missing == "" {
				assert.Equal(t, http.StatusNotFound, r.status, r.raw) // past the gate
				return
			}
			assert.Equal(t, http.StatusForbidden, r.status, r.raw)
			assert.Equal(t, "AuthorizationFailed", r.code())
			assert.Contains(t, r.message(), "perform action '"+c.missing+"' over scope '"+c.path+"'")
		})
	}
}

func TestNextLinkCarriesTheQuery(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 8})
	page := s.get(t, set+"/virtualMachines?api-version="+version+"&$expand=instanceView&mine=a+b%26c")
	require.Len(t, page.values(), 3)
	next, err := url.Parse(page.text("nextLink"))
	require.NoError(t, err)
	assert.Equal(t, s.Endpoint, next.Scheme+"://"+next.Host)
	assert.Equal(t, set+"/virtualMachines", next.Path)
	for key, value := range map[string]string{"api-version": version, "$expand": "instanceView", "mine": "a b&c"} {
		assert.Equal(t, value, next.Query().Get(key))
	}
	second := s.get(t, page.text("nextLink"))
	require.Len(t, second.values(), 3)
	assert.NotNil(t, get(second.values()[0], "properties.instanceView"), "the expansion ends with the first page")
}

func TestPagesStandStillWhenAnInstanceGoes(t *testing.T) {
	t.Parallel()
	for name, deleted := range map[string]int{"seen": 0, "last of the page": 2, "first of the next": 3, "to come": 5} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 7})
			want := s.ids(t, set)
			first := s.get(t, set+"/virtualMachines")
			s.deleteInstances(t, set, want[deleted])
			s.Advance(settled)
			var got []string
			for _, i := range append(first.values(), s.list(t, first.text("nextLink"))...) {
				got = append(got, get(i, "instanceId").(string))
			}
			if deleted >= 3 {
				want = append(want[:deleted:deleted], want[deleted+1:]...)
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestPageSizes(t *testing.T) {
	t.Parallel()
	for size, pages := range map[int]int{1: 4, 2: 2, 4: 1, 100: 1} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{PageSize: size})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 4, PublicAddress: true})
			for _, kind := range []string{"/virtualMachines", "/networkInterfaces", "/publicIPAddresses"} {
				before := len(s.Journal())
				assert.Len(t, s.list(t, set+kind), 4)
				assert.Equal(t, pages, len(s.Journal())-before)
			}
		})
	}
}

// TestDateIsSimulated: an instance of an increase is no older than the response before it.
func TestDateIsSimulated(t *testing.T) {
	s := virtual(t, armsim.Config{})
	path := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	at := func() time.Time {
		date, err := http.ParseTime(s.send(t, http.MethodGet, path, nil).header.Get("Date"))
		require.NoError(t, err)
		return date
	}
	before := at()
	s.Advance(1000 * time.Hour)
	assert.WithinDuration(t, before.Add(1000*time.Hour), at(), time.Minute)
}
