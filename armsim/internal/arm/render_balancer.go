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
	p["inboundNatRules"] = rules
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
	var configs []any
	for _, u := range one.PartUsers(id) {
		configs = append(configs, object{"id": r.odd(u.ID)})
	}
	if configs != nil {
		p["backendIPConfigurations"] = configs
	}
}

// balancerBacks has frontends and pools name the rules that name them.
func (r *renderer) balancerBacks(one *world.Resource, p object) {
	for _, from := range []string{"loadBalancingRules", "inboundNatRules", "inboundNatPools"} {
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
