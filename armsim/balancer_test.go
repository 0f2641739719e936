package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestInboundNATPool: each instance has a rule of its own, and these are no
// resources of a client's.
func TestInboundNATPool(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	balancer, frontend := s.network("loadBalancers/lb"), s.network("loadBalancers/lb/frontendIPConfigurations/front")
	s.make(t, s.network("publicIPAddresses/pip"), object{})
	assert.Empty(t, s.get(t, s.network("publicIPAddresses/pip")).text("properties.ipAddress"), "a dynamic one has none yet")
	s.make(t, balancer, object{"properties": object{
		"frontendIPConfigurations": []any{object{"name": "front", "properties": object{"publicIPAddress": ref(s.network("publicIPAddresses/pip"))}}},
		"backendAddressPools":      []any{object{"name": "pool"}},
		"inboundNatPools": []any{object{"name": "nat", "properties": object{
			"frontendIPConfiguration": ref(frontend), "protocol": "tcp", "frontendPortRangeStart": "50000", "frontendPortRangeEnd": "50119", "backendPort": 22}}},
	}})
	assert.NotEmpty(t, s.get(t, s.network("publicIPAddresses/pip")).text("properties.ipAddress"))
	path := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	model := s.get(t, path).body
	config := get(model, "properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations.0.properties.ipConfigurations.0.properties").(object)
	config["loadBalancerInboundNatPools"] = []any{ref(balancer + "/inboundNatPools/nat")}
	model["sku"].(object)["capacity"] = 2
	require.Equal(t, http.StatusOK, s.send(t, "PUT", path, model).status)
	s.Advance(settled)
	r := s.get(t, balancer)
	require.GreaterOrEqual(t, len(get(r.body, "properties.inboundNatRules").([]any)), 2, r.raw)
	first := "properties.inboundNatRules.0."
	assert.Contains(t, r.text(first+"properties.backendIPConfiguration.id"), "/virtualMachineScaleSets/ci/virtualMachines/")
	assert.Equal(t, 50000.0, get(r.body, first+"properties.frontendPort"))
	assert.Equal(t, 50001.0, get(r.body, "properties.inboundNatRules.1.properties.frontendPort"))
	assert.Equal(t, frontend, r.text(first+"properties.frontendIPConfiguration.id"))
	require.Equal(t, http.StatusOK, s.send(t, "PUT", balancer, r.body).status)
	s.Advance(settled)
	assert.Len(t, get(s.get(t, balancer).body, "properties.inboundNatRules"), len(get(r.body, "properties.inboundNatRules").([]any)))
	assert.Equal(t, "LoadBalancerInUseByVirtualMachineScaleSet", s.send(t, "DELETE", balancer, nil).code())
}

// checkBalancer checks what azure-cli's test recorded of the load balancer.
func (s *sim) checkBalancer(t *testing.T) {
	t.Helper()
	balancer := s.network("loadBalancers/ciLB")
	r := s.get(t, balancer)
	rule, pool := balancer+"/inboundNatRules/NatRule", "properties.backendAddressPools.0.properties."
	assert.Equal(t, rule, r.text("properties.inboundNatRules.0.id"), r.raw)
	assert.Equal(t, 50119.0, get(r.body, "properties.inboundNatRules.0.properties.frontendPortRangeEnd"), "a number")
	assert.Equal(t, "Tcp", r.text("properties.loadBalancingRules.0.properties.protocol"))
	assert.Equal(t, rule, r.text("properties.frontendIPConfigurations.0.properties.inboundNatRules.0.id"))
	assert.Equal(t, balancer+"/loadBalancingRules/LBRule", r.text(pool+"loadBalancingRules.0.id"))
	assert.GreaterOrEqual(t, len(get(r.body, pool+"backendIPConfigurations").([]any)), 2)
	assert.Equal(t, 50001.0, get(r.body, pool+"loadBalancerBackendAddresses.1.properties.inboundNatRulesPortMapping.0.frontendPort"))
	assert.Equal(t, balancer+"/frontendIPConfigurations/loadBalancerFrontEnd", s.get(t, s.network("publicIPAddresses/ciLBPublicIP")).text("properties.ipConfiguration.id"))
	assert.Equal(t, "LoadBalancerInUseByVirtualMachineScaleSet", s.send(t, "DELETE", balancer, nil).code())
	assert.Len(t, s.list(t, balancer+"/inboundNatRules"), 1)
	assert.Equal(t, http.StatusAccepted, s.send(t, "DELETE", rule, nil).status)
	s.Advance(settled)
	assert.Equal(t, "NotFound", s.get(t, rule).code())
	assert.Empty(t, s.list(t, balancer+"/inboundNatRules"))
	assert.Equal(t, http.StatusOK, s.send(t, "PUT", balancer, s.get(t, balancer).body).status, "what was read is written")
	s.Advance(settled)
	assert.Len(t, s.list(t, s.network("loadBalancers")), 1)
}
