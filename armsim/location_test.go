package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestNothingMoves: a PUT with another location is refused, and one with the same however it
// is written is not.
func TestNothingMoves(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, flexible(1))
	machine := s.machinesPath() + "/" + s.machineNames(t, set)[0]
	network := func(kind string) string { return s.networkPath(kind + "/one") }
	sources := map[string]object{
		set: {}, machine: {}, network("networkInterfaces"): {}, network("networkSecurityGroups"): {}, network("publicIPAddresses"): {},
		compute(s, "/sshPublicKeys/one") + "?api-version=2024-07-01":                                                  {},
		s.ResourcePath("/providers/Microsoft.ManagedIdentity/userAssignedIdentities/one") + "?api-version=2023-01-31": {},
	}
	for path, body := range sources {
		body["location"] = "westeurope"
		r := s.send(t, "PUT", path, body)
		require.Less(t, r.status, 300, r.raw)
		s.Advance(settled)
		body["location"] = "West Europe"
		r = s.send(t, "PUT", path, body)
		require.Equal(t, http.StatusOK, r.status, r.raw)
		s.Advance(settled)
		body["location"] = "northeurope"
		r = s.send(t, "PUT", path, body)
		assert.Equal(t, http.StatusConflict, r.status, r.raw)
		assert.Equal(t, "InvalidResourceLocation", r.code())
		assert.Equal(t, "westeurope", s.get(t, path).text("location"))
	}
	r := s.send(t, "PATCH", set, `{"location":"northeurope"}`)
	assert.Equal(t, http.StatusOK, r.status)
	assert.Equal(t, "westeurope", s.get(t, set).text("location"))
	r = s.send(t, "PUT", s.ResourcePath("")+"?api-version=2021-04-01", `{"location":"northeurope"}`)
	assert.Equal(t, http.StatusConflict, r.status, r.raw)
	assert.Equal(t, "InvalidResourceGroupLocation", r.code())
}

// TestInterfacesHaveETags, which move when something changes.
func TestInterfacesHaveETags(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	path, body := s.networkPath("networkInterfaces/one"), object{"location": "westeurope", "properties": object{
		"dnsSettings": object{"dnsServers": []any{"10.0.0.9"}}, "ipConfigurations": []any{object{"name": "a"}}}}
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", path, body).status)
	first := s.get(t, path)
	etag := first.header.Get("ETag")
	assert.Regexp(t, `^W/"[-0-9a-f]{36}"$`, etag)
	assert.Equal(t, etag, first.text("etag"))
	assert.Equal(t, etag, first.text("properties.ipConfigurations.0.etag"))
	assert.Equal(t, []any{"10.0.0.9"}, get(first.body, "properties.dnsSettings.appliedDnsServers"))
	assert.Equal(t, http.StatusOK, s.send(t, "PUT", path, body, header{"If-Match": etag}).status)
	second := s.get(t, path)
	assert.NotEqual(t, etag, second.header.Get("ETag"))
	assert.Equal(t, http.StatusPreconditionFailed, s.send(t, "PUT", path, body, header{"If-Match": etag}).status)

	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	one := set + "/virtualMachines/" + s.ids(t, set)[0] + "/networkInterfaces/nic?api-version=2018-10-01"
	mine := s.get(t, one)
	assert.Equal(t, mine.text("etag"), mine.header.Get("ETag"))
	assert.Equal(t, mine.header.Get("ETag"), s.get(t, one).header.Get("ETag"), "a read moves nothing")
}

// TestPublicAddressesAreAsTheModelSays: their name, how long a connection may idle, and what
// they are routed as.
func TestPublicAddressesAreAsTheModelSays(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{Polite: true})
		change := func(settings object) func(map[string]any) {
			return func(m map[string]any) {
				get(m, "properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations.0.properties.ipConfigurations.0.properties.publicIPAddressConfiguration").(object)["properties"] = settings
			}
		}
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1, PublicAddress: true, Change: change(
			object{"idleTimeoutInMinutes": 15, "dnsSettings": object{"domainNameLabel": "runner"}, "ipTags": []any{object{"tag": "x"}}})})
		path := set + "/publicIPAddresses?api-version=2018-10-01"
		if mode == "Flexible" {
			path = s.networkPath("publicIPAddresses")
		}
		got := reply{body: s.list(t, path)[0].(object)}
		assert.Equal(t, 15.0, get(got.body, "properties.idleTimeoutInMinutes"), mode)
		assert.Regexp(t, `^vm\d+\.runner$`, got.text("properties.dnsSettings.domainNameLabel"))
		assert.Equal(t, got.text("properties.dnsSettings.domainNameLabel")+".westeurope.cloudapp.azure.com", got.text("properties.dnsSettings.fqdn"))
		assert.Len(t, get(got.body, "properties.ipTags"), 1)
	}
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1, PublicAddress: true})
	plain := s.list(t, set+"/publicIPAddresses?api-version=2018-10-01")[0]
	assert.Equal(t, 4.0, get(plain, "properties.idleTimeoutInMinutes"))
	assert.Nil(t, get(plain, "properties.dnsSettings"))
}
