package arm

import (
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// What Azure fills into the network resources that a client writes, and adds to
// them when it shows them. The values are those of recording 29.

// azures are properties that Azure alone writes: a client that sends back what it
// read is heard without effect.
var azures = []string{"resourceGuid", "defaultSecurityRules", "networkInterfaces", "ipConfigurations", "ipConfiguration", "natGateway", "ipAddress"}

// writtenProperties are the body's, less what is Azure's.
func writtenProperties(body object) object {
	p := jsonmap.Ensure(body, "properties")
	for _, key := range azures {
		delete(p, key)
	}
	return p
}

func fillSecurityGroup(body object) {
	p := writtenProperties(body)
	delete(p, "subnets")
	jsonmap.SetDefault(p, "securityRules", []any{})
}

func fillNATGateway(body object) {
	p := writtenProperties(body)
	delete(p, "subnets")
	jsonmap.SetDefault(p, "idleTimeoutInMinutes", float64(4))
	jsonmap.SetDefault(jsonmap.Ensure(body, "sku"), "name", "Standard")
	jsonmap.SetDefault(jsonmap.Ensure(body, "sku"), "tier", "Regional")
}

func fillGroupAddress(body object) {
	p := writtenProperties(body)
	jsonmap.SetDefault(p, "publicIPAddressVersion", "IPv4")
	jsonmap.SetDefault(p, "publicIPAllocationMethod", "Dynamic")
	jsonmap.SetDefault(p, "idleTimeoutInMinutes", float64(4))
	jsonmap.SetDefault(p, "ipTags", []any{})
	jsonmap.SetDefault(jsonmap.Ensure(p, "ddosSettings"), "protectionMode", "VirtualNetworkInherited")
	jsonmap.SetDefault(jsonmap.Ensure(body, "sku"), "name", "Basic")
	jsonmap.SetDefault(jsonmap.Ensure(body, "sku"), "tier", "Regional")
}

func fillVirtualNetwork(body object) {
	p := writtenProperties(body)
	jsonmap.SetDefault(p, "virtualNetworkPeerings", []any{})
	jsonmap.SetDefault(p, "enableDdosProtection", false)
	delete(p, "enableVmProtection")
}

func fillSubnet(body object) {
	p := jsonmap.Ensure(body, "properties")
	delete(p, "ipConfigurations")
	jsonmap.SetDefault(p, "delegations", []any{})
	jsonmap.SetDefault(p, "ipamPoolPrefixAllocations", []any{})
	jsonmap.SetDefault(p, "privateEndpointNetworkPolicies", "Disabled")
	jsonmap.SetDefault(p, "privateLinkServiceNetworkPolicies", "Enabled")
}

// resource is a Resource of any kind as a response shows it.
func (r *renderer) resource(one *world.Resource) object {
	body := jsonmap.CloneObject(one.Body)
	body["id"], body["name"], body["type"] = r.odd(one.ID), one.Name, one.Kind
	if one.Kind == world.KindIdentity {
		body["id"] = identityID(one)
		return body
	}
	body["etag"] = networkETag(one)
	p := jsonmap.Ensure(body, "properties")
	p["provisioningState"] = one.State
	if one.Parent == nil {
		p["resourceGuid"] = tag(one.ID)
	}
	switch one.Kind {
	case world.KindSecurityGroup:
		r.securityRules(one, p)
	case world.KindVirtualNetwork:
		subnets := []any{}
		for _, child := range one.Children {
			subnets = append(subnets, r.resource(child))
		}
		p["subnets"] = subnets
	case world.KindLoadBalancer:
		r.loadBalancer(one, p)
	case world.KindPublicAddress:
		if one.Address.IsValid() {
			p["ipAddress"] = one.Address.String()
		}
	}
	r.users(one, p)
	r.unknown(p)
	return body
}

// identityID has the segment of the group in lower case, always (recording 35).
func identityID(r *world.Resource) string {
	return strings.Replace(r.ID, "/resourceGroups/", "/resourcegroups/", 1)
}

// usedFrom are the lists in which a resource names those that use it.
var usedFrom = map[string]map[string]string{
	world.KindSubnet:        {world.UsedByIPConfig: "ipConfigurations", world.UsedByFrontend: "ipConfigurations"},
	world.KindSecurityGroup: {world.KindSubnet: "subnets", world.UsedByInterface: "networkInterfaces"},
	world.KindNATGateway:    {world.KindSubnet: "subnets"},
}

// users adds the references back.
func (r *renderer) users(one *world.Resource, p object) {
	for _, u := range one.Users() {
		ref := object{"id": r.odd(u.ID)}
		if key := usedFrom[one.Kind][u.Kind]; key != "" {
			list, _ := p[key].([]any)
			p[key] = append(list, ref)
			continue
		}
		switch {
		case one.Kind == world.KindPublicAddress && u.Kind == world.KindNATGateway:
			p["natGateway"] = ref
		case one.Kind == world.KindPublicAddress:
			p["ipConfiguration"] = ref
		}
	}
}

// securityRules completes the client's rules, and adds Azure's own.
func (r *renderer) securityRules(one *world.Resource, p object) {
	for _, rule := range jsonmap.List(p, "securityRules") {
		if o, ok := rule.(object); ok {
			r.securityRule(one, o, "securityRules")
		}
	}
	defaults := []any{}
	for _, d := range defaultRules {
		rule := object{"name": d.name, "properties": object{
			"description": d.description, "protocol": "*", "sourcePortRange": "*", "destinationPortRange": "*",
			"sourceAddressPrefix": d.source, "destinationAddressPrefix": d.destination, "access": d.access, "priority": d.priority, "direction": d.direction,
		}}
		r.securityRule(one, rule, "defaultSecurityRules")
		defaults = append(defaults, rule)
	}
	p["defaultSecurityRules"] = defaults
}

func (r *renderer) securityRule(group *world.Resource, rule object, list string) {
	rule["id"] = r.odd(group.ID + "/" + list + "/" + jsonmap.Text(rule, "name"))
	rule["etag"], rule["type"] = networkETag(group), world.KindSecurityGroup+"/"+list
	p := jsonmap.Ensure(rule, "properties")
	p["provisioningState"] = group.State
	for _, key := range []string{"sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes"} {
		jsonmap.SetDefault(p, key, []any{})
	}
}

// defaultRules are Azure's, as Microsoft's page on network security groups lists
// them.
var defaultRules = []struct {
	name, description, source, destination, access, direction string
	priority                                                  int
}{
	{"AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", "VirtualNetwork", "VirtualNetwork", "Allow", "Inbound", 65000},
	{"AllowAzureLoadBalancerInBound", "Allow inbound traffic from azure load balancer", "AzureLoadBalancer", "*", "Allow", "Inbound", 65001},
	{"DenyAllInBound", "Deny all inbound traffic", "*", "*", "Deny", "Inbound", 65500},
	{"AllowVnetOutBound", "Allow outbound traffic from all VMs to all VMs in VNET", "VirtualNetwork", "VirtualNetwork", "Allow", "Outbound", 65000},
	{"AllowInternetOutBound", "Allow outbound traffic from all VMs to Internet", "*", "Internet", "Allow", "Outbound", 65001},
	{"DenyAllOutBound", "Deny all outbound traffic", "*", "*", "Deny", "Outbound", 65500},
}
