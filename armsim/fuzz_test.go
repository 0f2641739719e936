package armsim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// FuzzRequests: no request makes the simulator panic, and what it refuses it
// refuses in Azure's shape. SET in a path stands for a scale set that exists.
func FuzzRequests(f *testing.F) {
	for _, seed := range []question{
		{"PUT", "SET", "", plainSet},
		{"PUT", "SET2", "", `{"location":"x","sku":"y","properties":"z"}`},
		{"PUT", "SET3", "", `{"location":"x","sku":{"name":"Standard_D2s_v5","capacity":1},"properties":{"virtualMachineProfile":{"priority":{},"osProfile":[],"storageProfile":{"imageReference":{"publisher":"Canonical","offer":"ubuntu-24_04-lts","sku":"server"}},"networkProfile":{"networkInterfaceConfigurations":[1]}}}}`},
		{"PATCH", "SET", "", `{"properties":{"virtualMachineProfile":{"priority":{"a":[]},"osProfile":{"adminUsername":{}}}}}`},
		{"PATCH", "SET", "", `{"properties":{"virtualMachineProfile":{"networkProfile":{"networkInterfaceConfigurations":[1,{"properties":{"ipConfigurations":[null,{}]}}]}}}}`},
		{"PATCH", "SET", "", `{"sku":{"capacity":1e300}}`},
		{"PATCH", "SET", "", `{"sku":null,"properties":null}`},
		{"PATCH", "SET", "", `[`},
		{"POST", "SET/delete", "", `{"instanceIds":[1,null,"x",{}]}`},
		{"POST", "SET/delete", "", `{"instanceIds":"*"}`},
		{"GET", "SET/virtualMachines", "&$skiptoken=YWZ0ZXIg", ""},
		{"GET", "SET/virtualMachines/-1", "&$expand=instanceView", ""},
		{"PUT", "SET/virtualMachines/0", "", `{"properties":{"protectionPolicy":{}}}`},
		{"PUT", "VMS/one", "", `{"location":"x","properties":{"hardwareProfile":{"vmSize":"Standard_D2s_v5"},"osProfile":1,"networkProfile":{"networkInterfaces":[1,{"id":[]}]}}}`},
		{"GET", "VMS", "&$expand=instanceView&$filter='virtualMachineScaleSet/id' eq 'x'", ""},
		{"PUT", "NICS/one", "", `{"location":"x","properties":{"ipConfigurations":[1,{"properties":2},null]}}`},
		{"PUT", "SET4", "", `{"location":"x","sku":{"name":"Standard_D2s_v5","capacity":1},"zones":[1,null],"properties":{"orchestrationMode":"Flexible","virtualMachineProfile":{"priority":"Spot","osProfile":{"adminUsername":"u"},"storageProfile":{"imageReference":{"publisher":"Canonical","offer":"ubuntu-24_04-lts","sku":"server"}},"networkProfile":{"networkInterfaceConfigurations":[1,{"name":2}]}}}}`},
		{"PUT", "SET5", "", `{"location":"x","plan":1,"zones":["1"],"sku":{"name":"Standard_D2s_v5"},"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{"id":"/subscriptions/` + armsim.DefaultSubscriptionID + `/resourceGroups/ci//versions/"}},"networkProfile":{"networkInterfaceConfigurations":[1]}}}}`},
		{"PUT", "SET6", "", `{"location":"westus","plan":{"publisher":{}},"zones":[1,"2"],"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":[]}}}}`},
		{"PUT", "COMPUTE/galleries/g", "", `{"location":"x","properties":"y"}`},
		{"PUT", "COMPUTE/galleries/g/images/i/versions/1.0.0", "", `{"location":"x","properties":{"publishingProfile":{"targetRegions":[1,{"name":{}}]},"storageProfile":1}}`},
		{"PUT", "COMPUTE/images/i", "", `{"location":"x","properties":{"storageProfile":{"osDisk":1}}}`},
		{"PUT", "COMPUTE/sshPublicKeys/k", "", `{"location":"x","properties":{"publicKey":[]}}`},
		{"PATCH", "COMPUTE/sshPublicKeys/k", "", `{"properties":null}`},
		{"POST", "COMPUTE/sshPublicKeys/k/generateKeyPair", "", `{"encryptionType":1}`},
		{"GET", "/subscriptions/" + armsim.DefaultSubscriptionID + "/providers/Microsoft.Compute/skus", "&$filter=location eq ''", ""},
		{"GET", "/subscriptions/" + armsim.DefaultSubscriptionID + "/providers/Microsoft.Compute/locations//publishers/canonical/artifacttypes/vmimage/offers/UbuntuServer/skus/18.04-LTS/versions", "&$top=-1&$orderby=name desc", ""},
		{"PUT", "/subscriptions/" + armsim.DefaultSubscriptionID + "/providers/Microsoft.MarketplaceOrdering/offerTypes/virtualmachine/publishers/almalinux/offers/almalinux-x86_64/plans/9-gen2/agreements/current", "", `{"properties":[]}`},
		{"POST", "/common/oauth2/v2.0/token", "", "grant_type=client_credentials"},
		{"DELETE", "//", "", ""},
	} {
		f.Add(seed.method, seed.path, seed.query, seed.body)
	}
	s, err := armsim.New(armsim.Config{Virtual: true, NoMachines: true, Seed: 1})
	require.NoError(f, err)
	f.Cleanup(s.Close)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		if len(body) > 1<<16 {
			t.Skip("long bodies make no new cases")
		}
		set := s.ScaleSetPath("fuzzed")
		// Anything may have been deleted before.
		question{http.MethodPut, s.ResourcePath(""), "", `{"location":"x"}`}.ask(t, s)
		question{http.MethodPut, set, "", plainSet}.ask(t, s)
		vms, nics := s.ResourcePath("/providers/Microsoft.Compute/virtualMachines"), s.ResourcePath("/providers/Microsoft.Network/networkInterfaces")
		path = strings.NewReplacer("SET", set, "COMPUTE", s.ResourcePath("/providers/Microsoft.Compute"), "VMS", vms, "NICS", nics).Replace(path)
		question{method, path, query, body}.ask(t, s)
		s.Advance(settled)
		// A model that got in must come out again, in every view.
		for _, rest := range []string{"", "/virtualMachines", "/networkInterfaces", "/publicIPAddresses", "/instanceView"} {
			question{http.MethodGet, set + rest, "&$expand=instanceView", ""}.ask(t, s)
		}
		for _, all := range []string{vms, nics} {
			question{http.MethodGet, all, "&$expand=instanceView", ""}.ask(t, s)
			question{http.MethodPut, all + "/own", "", body}.ask(t, s)
			question{http.MethodGet, all + "/own", "", ""}.ask(t, s)
			question{http.MethodDelete, all + "/own", "", ""}.ask(t, s)
		}
		question{http.MethodPatch, set, "", body}.ask(t, s)
		question{http.MethodDelete, set, "", ""}.ask(t, s)
		s.Advance(settled)
	})
}

// plainSet is the least that a scale set is created from.
const plainSet = `{"location":"x","sku":{"name":"Standard_D2s_v5","capacity":2},"properties":{"virtualMachineProfile":{
	"osProfile":{"adminUsername":"u"},"networkProfile":{"networkInterfaceConfigurations":[{"name":"nic"}]},
	"storageProfile":{"imageReference":{"publisher":"Canonical","offer":"ubuntu-24_04-lts","sku":"server"}}}}}`

// question is a request that need not be a valid one.
type question struct{ method, path, query, body string }

// ask calls the handler itself, so that a panic ends the test; one in the front comes as a
// status 500.
func (q question) ask(t *testing.T, s *armsim.Server) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(q.body))
	r.Method, r.URL = q.method, &url.URL{Path: q.path, RawQuery: "api-version=" + version + q.query}
	token, err := s.Token()
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	require.NotEqual(t, http.StatusInternalServerError, w.Code, w.Body)
	if w.Code < http.StatusBadRequest {
		return
	}
	var failure struct {
		Error any `json:"error"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &failure), "%d %s", w.Code, w.Body)
	if code, ok := failure.Error.(string); ok { // Entra ID's shape
		require.NotEmpty(t, code)
		return
	}
	require.NotEmpty(t, get(failure.Error, "code"), w.Body)
	require.NotEmpty(t, get(failure.Error, "message"), w.Body)
}
