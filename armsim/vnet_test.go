package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// network is the path of a Network resource of the simulator's group.
func (s *sim) network(rest string) string {
	return s.ResourcePath("/providers/Microsoft.Network/" + rest)
}

// make PUTs what must be new, and lets it settle.
func (s *sim) make(t tb, path string, body object) reply {
	t.Helper()
	body["location"] = "westeurope"
	r := s.send(t, "PUT", path, body)
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	s.Advance(settled)
	return r
}

func ref(id string) object { return object{"id": id} }

// vnet is a body with one subnet, "runners", with the further properties.
func vnet(properties object) object {
	subnet := object{"addressPrefix": "10.0.0.0/24"}
	for key, value := range properties {
		subnet[key] = value
	}
	return object{"properties": object{
		"addressSpace": object{"addressPrefixes": []any{"10.0.0.0/16"}},
		"subnets":      []any{object{"name": "runners", "properties": subnet}},
	}}
}

// makeNetwork makes all that a scale set of the simulator's needs around it.
func (s *sim) makeNetwork(t tb) {
	t.Helper()
	s.make(t, s.network("networkSecurityGroups/nsg"), object{"tags": object{"made": "by-test"}})
	s.make(t, s.network("publicIPAddresses/pip"), object{
		"sku": object{"name": "Standard"}, "properties": object{"publicIPAllocationMethod": "Static"}})
	s.make(t, s.network("natGateways/nat"), object{
		"sku": object{"name": "Standard"}, "properties": object{"publicIpAddresses": []any{ref(s.network("publicIPAddresses/pip"))}}})
	s.make(t, s.network("virtualNetworks/ci"), vnet(object{
		"networkSecurityGroup": ref(s.network("networkSecurityGroups/nsg")), "natGateway": ref(s.network("natGateways/nat")), "defaultOutboundAccess": false}))
}

func TestNetworkIsWritten(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, PageSize: 1})
	nsg := s.network("networkSecurityGroups/nsg")
	assert.Equal(t, "ResourceNotFound", s.get(t, nsg).code())
	assert.Equal(t, "LocationRequired", s.send(t, "PUT", nsg, object{}).code())

	body := object{"location": "westeurope", "tags": object{"a": "b"}, "properties": object{"securityRules": []any{object{"name": "ssh", "properties": object{"priority": 100}}}}}
	r := s.send(t, "PUT", nsg, body)
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	assert.Empty(t, r.header.Get("Location"), "a PUT has none")
	assert.Equal(t, "InProgress", s.status(t, r))
	assert.Equal(t, "Updating", r.text("properties.provisioningState"))
	assert.Equal(t, "AnotherOperationInProgress", s.send(t, "PUT", nsg, body).code())
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.status(t, r))
	got := s.get(t, nsg)
	assert.Equal(t, "Succeeded", got.text("properties.provisioningState"))
	assert.NotEqual(t, r.text("etag"), got.text("etag"))
	assert.Equal(t, got.text("etag"), got.header.Get("ETag"))
	assert.Equal(t, "b", got.text("tags.a"))
	assert.Equal(t, nsg+"/securityRules/ssh", got.text("properties.securityRules.0.id"))
	assert.Len(t, get(got.body, "properties.defaultSecurityRules"), 6)
	assert.Equal(t, http.StatusPreconditionFailed, s.send(t, "PUT", nsg, body, header{"If-Match": r.text("etag")}).status)
	again := s.send(t, "PUT", nsg, got.body, header{"If-Match": got.text("etag")})
	require.Equal(t, http.StatusOK, again.status, "what was read is written: %s", again.raw)
	s.Advance(settled)

	s.make(t, s.network("networkSecurityGroups/other"), object{})
	assert.Len(t, s.list(t, s.network("networkSecurityGroups")), 2)
	gone := s.send(t, "DELETE", nsg, nil)
	require.Equal(t, http.StatusAccepted, gone.status, gone.raw)
	assert.Equal(t, http.StatusAccepted, s.get(t, gone.header.Get("Location")).status)
	assert.Equal(t, "Deleting", s.get(t, nsg).text("properties.provisioningState"))
	assert.Equal(t, http.StatusAccepted, s.send(t, "DELETE", nsg, nil).status, "again")
	s.Advance(settled)
	assert.Equal(t, http.StatusNoContent, s.get(t, gone.header.Get("Location")).status)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", nsg, nil).status)
	assert.Len(t, s.list(t, s.network("networkSecurityGroups")), 1)
}

func TestNetworkRefersBack(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	s.makeNetwork(t)
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	subnet := s.network("virtualNetworks/ci/subnets/runners")
	r := s.get(t, subnet)
	assert.Len(t, get(r.body, "properties.ipConfigurations"), 2)
	assert.Equal(t, false, get(r.body, "properties.defaultOutboundAccess"))
	assert.Equal(t, s.network("natGateways/nat"), r.text("properties.natGateway.id"))
	assert.Equal(t, subnet, s.get(t, s.network("networkSecurityGroups/nsg")).text("properties.subnets.0.id"))
	assert.Equal(t, subnet, s.get(t, s.network("natGateways/nat")).text("properties.subnets.0.id"))
	pip := s.get(t, s.network("publicIPAddresses/pip"))
	assert.Equal(t, s.network("natGateways/nat"), pip.text("properties.natGateway.id"))
	assert.NotEmpty(t, pip.text("properties.ipAddress"))
	assert.Equal(t, subnet, s.get(t, s.network("virtualNetworks/ci")).text("properties.subnets.0.id"))
	assert.Len(t, s.list(t, s.network("virtualNetworks/ci/subnets")), 1)

	written := s.get(t, s.network("virtualNetworks/ci"))
	require.Equal(t, http.StatusOK, s.send(t, "PUT", s.network("virtualNetworks/ci"), written.body).status, "what was read is written")
	s.Advance(settled)
	s.send(t, "DELETE", set, nil)
	s.Advance(settled)
	assert.Nil(t, get(s.get(t, subnet).body, "properties.ipConfigurations"))
}

// TestInUse deletes in the wrong order, and then in the right one.
func TestInUse(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	s.makeNetwork(t)
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	subnet := s.network("virtualNetworks/ci/subnets/runners")
	refused := func(path, code string) {
		t.Helper()
		r := s.send(t, "DELETE", path, nil)
		assert.Equal(t, []any{http.StatusBadRequest, code}, []any{r.status, r.code()}, r.raw)
	}
	removed := func(path string) {
		t.Helper()
		r := s.send(t, "DELETE", path, nil)
		assert.Equal(t, http.StatusAccepted, r.status, r.raw)
		s.Advance(settled)
		assert.Equal(t, http.StatusNotFound, s.get(t, path).status)
	}
	refused(subnet, "InUseSubnetCannotBeDeleted")
	refused(s.network("virtualNetworks/ci"), "InUseSubnetCannotBeDeleted")
	refused(s.network("networkSecurityGroups/nsg"), "InUseNetworkSecurityGroupCannotBeDeleted")
	refused(s.network("natGateways/nat"), "CannotDeleteNatGatewayAssociatedToSubnet")
	refused(s.network("publicIPAddresses/pip"), "PublicIPAddressCannotBeDeleted")
	empty := vnet(nil)
	empty["location"], empty["properties"].(object)["subnets"] = "westeurope", []any{}
	assert.Equal(t, "InUseSubnetCannotBeDeleted", s.send(t, "PUT", s.network("virtualNetworks/ci"), empty).code())

	removed(set)
	removed(subnet)
	removed(s.network("virtualNetworks/ci"))
	removed(s.network("networkSecurityGroups/nsg"))
	removed(s.network("natGateways/nat"))
	removed(s.network("publicIPAddresses/pip"))
	assert.Zero(t, s.Stats().Addresses)
}

// TestUsedByInterface: an interface that a client made uses subnet, group and
// address; the address of a virtual machine cannot be deleted either.
func TestUsedByInterface(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	s.makeNetwork(t)
	s.make(t, s.network("publicIPAddresses/own"), object{"properties": object{"publicIPAllocationMethod": "Static"}})
	config := object{"name": "one", "properties": object{
		"subnet": ref(s.network("virtualNetworks/ci/subnets/runners")), "publicIPAddress": ref(s.network("publicIPAddresses/own"))}}
	s.make(t, s.network("networkInterfaces/nic"), object{"properties": object{
		"networkSecurityGroup": ref(s.network("networkSecurityGroups/nsg")), "ipConfigurations": []any{config}}})
	own := s.network("networkInterfaces/nic") + "/ipConfigurations/one"
	assert.Equal(t, own, s.get(t, s.network("publicIPAddresses/own")).text("properties.ipConfiguration.id"))
	assert.Equal(t, own, s.get(t, s.network("virtualNetworks/ci/subnets/runners")).text("properties.ipConfigurations.0.id"))
	assert.Equal(t, "PublicIPAddressCannotBeDeleted", s.send(t, "DELETE", s.network("publicIPAddresses/own"), nil).code())
	assert.Len(t, get(s.get(t, s.network("networkSecurityGroups/nsg")).body, "properties.networkInterfaces"), 1)

	s.scaleSet(t, armsim.ScaleSetSpec{Name: "flex", Capacity: 1, OrchestrationMode: "Flexible", PublicAddress: true})
	all := s.list(t, s.network("publicIPAddresses"))
	require.Len(t, all, 3)
	for _, one := range all {
		assert.Equal(t, "PublicIPAddressCannotBeDeleted", s.send(t, "DELETE", s.network("publicIPAddresses/"+get(one, "name").(string)), nil).code())
	}
}

// TestSubnetPutReplaces: what is left out is detached.
func TestSubnetPutReplaces(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	s.makeNetwork(t)
	path := s.network("virtualNetworks/ci/subnets/runners")
	r := s.send(t, "PUT", path, object{"properties": object{"addressPrefix": "10.0.0.0/24"}})
	require.Equal(t, http.StatusOK, r.status, r.raw)
	assert.Equal(t, "AnotherOperationInProgress", s.send(t, "PUT", path+"2", object{"properties": object{"addressPrefix": "10.0.1.0/24"}}).code())
	s.Advance(settled)
	assert.Nil(t, get(s.get(t, path).body, "properties.natGateway"))
	assert.Equal(t, http.StatusAccepted, s.send(t, "DELETE", s.network("natGateways/nat"), nil).status)

	assert.Equal(t, http.StatusCreated, s.send(t, "PUT", path+"2", object{"properties": object{"addressPrefix": "10.0.1.0/24"}}).status)
	s.Advance(settled)
	for prefix, code := range map[string]string{"10.0.1.128/25": "NetcfgSubnetRangesOverlap", "10.1.0.0/24": "NetcfgSubnetRangeOutsideVnet", "x": "InvalidAddressPrefixFormat"} {
		assert.Equal(t, code, s.send(t, "PUT", path+"3", object{"properties": object{"addressPrefix": prefix}}).code())
	}
	assert.Equal(t, "ResourceNotFound", s.send(t, "PUT", s.network("virtualNetworks/none/subnets/x"), object{}).code())
	assert.Equal(t, "NotFound", s.get(t, path+"3").code())
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", path+"3", nil).status)
}

func TestVnetPutWithoutSubnets(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		unknown []string
		left    int
	}{"removes them": {nil, 0}, "keeps them": {[]string{"vnet-put-keeps-subnets"}, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{Unknowns: unknown(t, c.unknown...)})
			s.make(t, s.network("virtualNetworks/ci"), vnet(nil))
			body := vnet(nil)
			delete(body["properties"].(object), "subnets")
			body["location"] = "westeurope"
			require.Equal(t, http.StatusOK, s.send(t, "PUT", s.network("virtualNetworks/ci"), body).status)
			s.Advance(settled)
			assert.Len(t, s.list(t, s.network("virtualNetworks/ci/subnets")), c.left)
		})
	}
}

// TestReferencesMustExist: among network resources always, from a scale set where
// its virtual network is there, or where the configuration says so.
func TestReferencesMustExist(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	r := s.send(t, "PUT", s.network("virtualNetworks/ci"), func() object {
		body := vnet(object{"natGateway": ref(s.network("natGateways/none"))})
		body["location"] = "westeurope"
		return body
	}())
	assert.Equal(t, []any{http.StatusBadRequest, "InvalidResourceReference"}, []any{r.status, r.code()})

	_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "before"})
	require.NoError(t, err, "the simulator knows nothing of its network")
	body := vnet(nil)
	body["properties"].(object)["subnets"] = []any{}
	s.make(t, s.network("virtualNetworks/ci"), body)
	_, err = s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "after"})
	assert.ErrorContains(t, err, "InvalidResourceReference")

	strict := virtual(t, armsim.Config{Subscription: armsim.Subscription{CheckReferences: true}})
	_, err = strict.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci"})
	assert.ErrorContains(t, err, "InvalidResourceReference")
	with := armsim.ScaleSetSpec{Name: "with", Change: func(model object) {
		model["identity"] = object{"type": "UserAssigned", "userAssignedIdentities": object{identityOf(strict, "none"): object{}}}
	}}
	strict.makeNetwork(t)
	_, err = strict.CreateScaleSet(t.Context(), with)
	assert.ErrorContains(t, err, "FailedIdentityOperation")
	_, err = strict.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci"})
	assert.NoError(t, err)
}

// TestNetworkOperationsFail: what was asked for is Failed, what was to go stays.
func TestNetworkOperationsFail(t *testing.T) {
	t.Parallel()
	failure := armsim.Fault{Operation: "NatGateways_*", Effect: armsim.Effect{FailOperation: &armsim.Failure{Code: "InternalServerError", Message: "no"}}}
	s := virtual(t, armsim.Config{Faults: []armsim.Fault{failure}})
	nat := s.network("natGateways/nat")
	r := s.make(t, nat, object{})
	assert.Equal(t, "InternalServerError", s.operation(t, r).text("error.code"))
	assert.Equal(t, "Failed", s.get(t, nat).text("properties.provisioningState"))
	gone := s.send(t, "DELETE", nat, nil)
	s.Advance(settled)
	assert.Equal(t, "Failed", s.status(t, gone))
	result := s.get(t, gone.header.Get("Location"))
	assert.Equal(t, []any{http.StatusConflict, "InternalServerError"}, []any{result.status, result.code()})
	assert.Equal(t, "Failed", s.get(t, nat).text("properties.provisioningState"))
	s.ClearFaults()
	s.send(t, "DELETE", nat, nil)
	s.Advance(settled)
	assert.Equal(t, http.StatusNotFound, s.get(t, nat).status)
}
