package arm

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Load balancers, as far as a scale set's creation makes and reads them: they
// pass no traffic. Defaults and references back are those that azure-cli's test
// recorded (test_create_flexible_vmss_by_default).

// balancerLists are the parts of a load balancer that are in lists of its own.
// inboundNatRules are children.
var balancerLists = []string{"frontendIPConfigurations", "backendAddressPools", "loadBalancingRules", "probes", "outboundRules", "inboundNatPools"}

// balancerPorts may come as text, which is taken as a number: Azure CLI sends it
// so.
var balancerPorts = []string{"frontendPort", "backendPort", "frontendPortRangeStart", "frontendPortRangeEnd"}

// azuresOf are properties of parts that Azure alone writes.
var azuresOf = map[string][]string{
	"frontendIPConfigurations": balancerRules,
	"backendAddressPools":      append([]string{"backendIPConfigurations", "loadBalancerBackendAddresses"}, balancerRules...),
}

// balancerRules are the parts that name frontends and pools.
var balancerRules = []string{"loadBalancingRules", "inboundNatRules", "inboundNatPools"}

func fillLoadBalancer(body object) {
	p := writtenProperties(body)
	for _, list := range append([]string{"inboundNatRules"}, balancerLists...) {
		jsonmap.SetDefault(p, list, []any{})
		for _, one := range jsonmap.List(p, list) {
			if part, ok := one.(object); ok {
				fillBalancerPart(list, part)
			}
		}
	}
	jsonmap.SetDefault(jsonmap.Ensure(body, "sku"), "name", "Basic")
	jsonmap.SetDefault(jsonmap.Ensure(body, "sku"), "tier", "Regional")
}

func fillBalancerPart(list string, part object) {
	p := jsonmap.Ensure(part, "properties")
	for _, key := range azuresOf[list] {
		delete(p, key)
	}
	delete(p, "provisioningState")
	switch list {
	case "frontendIPConfigurations":
		jsonmap.SetDefault(p, "privateIPAllocationMethod", "Dynamic")
	case "loadBalancingRules":
		jsonmap.SetDefault(p, "loadDistribution", "Default")
		jsonmap.SetDefault(p, "disableOutboundSnat", false)
		fillPorts(p)
	case "inboundNatPools", "inboundNatRules":
		fillPorts(p)
	}
}

func fillPorts(p object) {
	for _, key := range balancerPorts {
		if text, ok := p[key].(string); ok {
			if n, err := strconv.ParseUint(text, 10, 16); err == nil {
				p[key] = float64(n)
			}
		}
	}
	for _, key := range []string{"enableFloatingIP", "enableTcpReset", "enableDestinationServiceEndpoint", "allowBackendPortConflict"} {
		jsonmap.SetDefault(p, key, false)
	}
	jsonmap.SetDefault(p, "idleTimeoutInMinutes", float64(4))
	for _, protocol := range []string{"Tcp", "Udp", "All"} {
		if strings.EqualFold(jsonmap.Text(p, "protocol"), protocol) {
			p["protocol"] = protocol
		}
	}
}

// checkLoadBalancer refuses ports that are no numbers.
func checkLoadBalancer(_ networks, _ *world.Group, body object) *problem {
	for _, list := range []string{"loadBalancingRules", "inboundNatRules", "inboundNatPools"} {
		for _, one := range jsonmap.List(body, "properties."+list) {
			if !portsAreNumbers(one) {
				return natPortsNotNumbers(jsonmap.Text(one, "name"), list)
			}
		}
	}
	return nil
}

func portsAreNumbers(part any) bool {
	for _, key := range balancerPorts {
		v := jsonmap.At(part, "properties."+key)
		if n, ok := v.(float64); v != nil && (!ok || n != math.Trunc(n)) {
			return false
		}
	}
	return true
}

func setNATRules(r *world.Resource, body object) {
	var names []string
	var bodies []map[string]any
	for _, one := range jsonmap.List(body, "properties.inboundNatRules") {
		if rule, ok := one.(object); ok && jsonmap.At(rule, "properties.backendIPConfiguration") == nil { // else Azure's own, of a pool
			names = append(names, jsonmap.Text(rule, "name"))
			copied := jsonmap.CloneObject(rule)
			dropReadOnly(copied)
			bodies = append(bodies, copied)
		}
	}
	r.SetChildren(world.KindNATRule, names, bodies)
}

// deleteLoadBalancer refuses one whose pools are in use.
func deleteLoadBalancer(c networks) (*response, *problem) {
	_, r, p := c.resource(loadBalancers)
	if p == nil {
		for _, list := range []string{"backendAddressPools", "inboundNatPools"} {
			for _, one := range jsonmap.List(r.Body, "properties."+list) {
				if users := c.world.UsersOf(r.ID + "/" + list + "/" + jsonmap.Text(one, "name")); len(users) > 0 {
					return nil, loadBalancerInUse(r.ID, []string{users[0].ID})
				}
			}
		}
	}
	return deleteNetwork(loadBalancers)(c.call)
}

func listNATRules(c networks) (*response, *problem) {
	_, r, p := c.resource(loadBalancers)
	if p != nil {
		return nil, p
	}
	return c.listNamed(c.resources(r.Children))
}

func (c networks) natRule() (*world.Resource, *problem) {
	g, r, p := c.resource(loadBalancers)
	switch {
	case g == nil:
		return nil, p
	case r == nil || r.Child(c.param("natRule")) == nil:
		return nil, networkNotFound(c.request.URL.Path)
	}
	return r.Child(c.param("natRule")), nil
}

func getNATRule(c networks) (*response, *problem) {
	rule, p := c.natRule()
	if p != nil {
		return nil, p
	}
	return c.shown(rule), nil
}

func putNATRule(c networks) (*response, *problem) {
	g, balancer, p := c.resource(loadBalancers)
	switch {
	case p != nil:
		return nil, p
	case g.Deleting != nil:
		return nil, groupBeingDeleted(g.Name)
	case balancer.Busy():
		return nil, anotherOperation(balancer.BusyID())
	}
	body := jsonmap.CloneObject(c.body)
	dropReadOnly(body)
	delete(body, "location") // a client may send it; it is the load balancer's
	fillBalancerPart("inboundNatRules", body)
	if !portsAreNumbers(body) {
		return nil, natPortsNotNumbers(c.param("natRule"), "inboundNatRules")
	}
	rule, o, created := balancer.PutChild(world.KindNATRule, c.param("natRule"), body)
	return c.networkWritten(rule, o, created), nil
}

func deleteNATRule(c networks) (*response, *problem) {
	rule, p := c.natRule()
	if p != nil && p.Code == "NotFound" {
		return &response{Status: http.StatusNoContent}, nil
	}
	if p != nil {
		return nil, p
	}
	if balancer := rule.Parent; balancer.Busy() && rule.State != world.StateDeleting {
		return nil, anotherOperation(balancer.BusyID())
	}
	return c.acceptedByNetwork(rule.Delete(), http.StatusAccepted), nil
}
