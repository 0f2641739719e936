package arm

import (
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// loadBalancer completes the parts of a load balancer, and the references between
// them.
func (r *renderer) loadBalancer(one *world.Resource, p object) {
	rules := []any{}
	for _, child := range one.Children {
		rules = append(rules, r.resource(child))
	}
	p["inboundNatRules"] = append(rules, r.poolRules(one)...)
	for _, list := range balancerLists {
		for _, element := range jsonmap.List(p, list) {
			if part, ok := element.(object); ok {
				r.balancerPart(one, list, part)
			}
		}
	}
	r.balancerBacks(one, p)
}

func (r *renderer) balancerPart(one *world.Resource, list string, part object) {
	id := one.ID + "/" + list + "/" + jsonmap.Text(part, "name")
	part["id"], part["etag"], part["type"] = r.odd(id), networkETag(one), world.KindLoadBalancer+"/"+list
	p := jsonmap.Ensure(part, "properties")
	p["provisioningState"] = one.State
	if list != "backendAddressPools" {
		return
	}
	var configs, addresses []any
	for n, u := range one.PartUsers(id) {
		configs = append(configs, object{"id": r.odd(u.ID)})
		addresses = append(addresses, r.backendAddress(one, id, u.ID, n))
	}
	if configs != nil {
		p["backendIPConfigurations"], p["loadBalancerBackendAddresses"] = configs, addresses
	}
}

// backendAddress is the nth one of a pool, with the ports at which the NAT rules
// of the pool lead to it.
func (r *renderer) backendAddress(one *world.Resource, pool, config string, n int) object {
	name := tag(pool + config)
	mapped := []any{}
	for _, rule := range one.Children {
		if strings.EqualFold(jsonmap.Text(rule.Body, "properties.backendAddressPool.id"), pool) {
			mapped = append(mapped, object{"inboundNatRuleName": rule.Name, "frontendPort": nthPort(rule.Body, n), "backendPort": jsonmap.At(rule.Body, "properties.backendPort")})
		}
	}
	return object{
		"name": name, "id": r.odd(pool + "/loadBalancerBackendAddresses/" + name), "etag": networkETag(one), "type": world.KindLoadBalancer + "/backendAddressPools/loadBalancerBackendAddresses",
		"properties": object{"provisioningState": one.State, "networkInterfaceIPConfiguration": object{"id": r.odd(config)}, "inboundNatRulesPortMapping": mapped},
	}
}

func nthPort(rule object, n int) any {
	start, _ := jsonmap.At(rule, "properties.frontendPortRangeStart").(float64)
	return start + float64(n)
}

// poolRules are the rules that a scale set's instances have of NAT pools.
func (r *renderer) poolRules(one *world.Resource) []any {
	var rules []any
	for _, element := range jsonmap.List(one.Body, "properties.inboundNatPools") {
		pool, ok := element.(object)
		if !ok {
			continue
		}
		for n, u := range one.PartUsers(one.ID + "/inboundNatPools/" + jsonmap.Text(pool, "name")) {
			rules = append(rules, r.poolRule(one, pool, u.ID, n))
		}
	}
	return rules
}

func (r *renderer) poolRule(one *world.Resource, pool object, config string, n int) object {
	name := jsonmap.Text(pool, "name") + "." + instanceOf(config)
	p := object{"provisioningState": one.State, "frontendPort": nthPort(pool, n), "backendIPConfiguration": object{"id": r.odd(config)}}
	for _, key := range []string{"frontendIPConfiguration", "backendPort", "enableFloatingIP", "idleTimeoutInMinutes", "protocol", "enableDestinationServiceEndpoint", "enableTcpReset", "allowBackendPortConflict"} {
		if v := jsonmap.At(pool, "properties."+key); v != nil {
			p[key] = jsonmap.Clone(v)
		}
	}
	return object{"name": name, "id": r.odd(one.ID + "/inboundNatRules/" + name), "etag": networkETag(one), "type": world.KindNATRule, "properties": p}
}

// instanceOf is the ID of the Uniform set's instance whose IP configuration this
// is.
func instanceOf(config string) string {
	_, rest, _ := strings.Cut(config, "/virtualMachines/")
	id, _, _ := strings.Cut(rest, "/")
	return id
}

// balancerBacks has frontends and pools name the rules that name them.
func (r *renderer) balancerBacks(one *world.Resource, p object) {
	for _, from := range balancerRules {
		for _, rule := range jsonmap.List(p, from) {
			ref := object{"id": r.odd(one.ID + "/" + from + "/" + jsonmap.Text(rule, "name"))}
			for list, key := range map[string]string{"frontendIPConfigurations": "frontendIPConfiguration", "backendAddressPools": "backendAddressPool"} {
				refer(p, list, jsonmap.Text(rule, "properties."+key+".id"), from, ref)
			}
		}
	}
}

// refer adds the reference to the part of the list that has the ID.
func refer(p object, list, id, key string, ref object) {
	name := id[strings.LastIndexByte(id, '/')+1:]
	for _, element := range jsonmap.List(p, list) {
		if part, ok := element.(object); ok && id != "" && strings.EqualFold(jsonmap.Text(part, "name"), name) {
			of := jsonmap.Ensure(part, "properties")
			refs, _ := of[key].([]any)
			of[key] = append(refs, ref)
		}
	}
}
