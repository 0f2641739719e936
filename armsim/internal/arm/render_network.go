package arm

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/google/uuid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

func (r *renderer) group(g *world.Group) object {
	state := world.StateSucceeded
	if g.Deleting != nil {
		state = world.StateDeleting
	}
	body := object{
		"id": g.ID, "name": g.Name, "type": "Microsoft.Resources/resourceGroups",
		"location": g.Location, "properties": object{"provisioningState": state},
	}
	if g.Tags != nil {
		body["tags"] = g.Tags
	}
	if g.ManagedBy != "" {
		body["managedBy"] = g.ManagedBy
	}
	return body
}

func (r *renderer) interfaceRefs(i *world.Instance) []any {
	refs := []any{}
	for _, n := range i.Interfaces {
		refs = append(refs, object{"id": r.odd(n.ID)})
	}
	return refs
}

// tag is a stable GUID for a name, for the many that the Network provider has.
func tag(name string) string { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String() }

func (r *renderer) networkInterface(i *world.Instance, n *world.Interface) object {
	id := n.ID
	configs, address := []any{}, i.Private
	for place, a := range n.Configs {
		configs = append(configs, r.ipConfig(i, n, a, place == 0))
		if place == 0 {
			address = a.Private
		}
	}
	p := object{
		"provisioningState": world.StateSucceeded, "resourceGuid": tag(id), "ipConfigurations": configs,
		"dnsSettings": object{
			"dnsServers": jsonmap.List(n.Model, "properties.dnsSettings.dnsServers"), "appliedDnsServers": []any{},
			"internalDomainNameSuffix": "armsim.bx.internal.cloudapp.net",
		},
		"macAddress": mac(address), "primary": jsonmap.Bool(n.Model, "properties.primary"),
		"enableAcceleratedNetworking": jsonmap.Bool(n.Model, "properties.enableAcceleratedNetworking"),
		"enableIPForwarding":          jsonmap.Bool(n.Model, "properties.enableIPForwarding"),
		"virtualMachine":              object{"id": r.odd(i.ID)},
		"hostedWorkloads":             []any{}, "tapConfigurations": []any{},
	}
	if nsg := jsonmap.At(n.Model, "properties.networkSecurityGroup"); nsg != nil {
		p["networkSecurityGroup"] = nsg
	}
	r.unknown(p)
	return object{"name": n.Name, "id": r.odd(id), "etag": `W/"` + tag(id) + `"`, "properties": p}
}

func (r *renderer) ipConfig(i *world.Instance, n *world.Interface, a *world.IPConfig, first bool) object {
	config := a.Model
	p := object{
		"provisioningState": world.StateSucceeded, "privateIPAddress": a.Private.String(), "privateIPAllocationMethod": "Dynamic",
		"primary": first || jsonmap.Bool(config, "properties.primary"), "privateIPAddressVersion": jsonmap.Text(config, "properties.privateIPAddressVersion"),
	}
	for _, key := range []string{"subnet", "loadBalancerBackendAddressPools", "applicationSecurityGroups", "applicationGatewayBackendAddressPools"} {
		if value := jsonmap.At(config, "properties."+key); value != nil {
			p[key] = value
		}
	}
	// A NAT pool of the model becomes a NAT rule of the instance (recording 11).
	rules := []any{}
	for _, pool := range jsonmap.List(config, "properties.loadBalancerInboundNatPools") {
		rules = append(rules, object{"id": fmt.Sprintf("%s.%d", strings.Replace(jsonmap.Text(pool, "id"), "/inboundNatPools/", "/inboundNatRules/", 1), i.Number)})
	}
	if len(rules) > 0 {
		p["loadBalancerInboundNatRules"] = rules
	}
	if a.PublicID != "" {
		p["publicIPAddress"] = object{"id": r.odd(a.PublicID)}
	}
	return object{
		"name": jsonmap.Text(config, "name"), "id": r.odd(a.ID), "etag": `W/"` + tag(n.ID) + `"`, "properties": p,
	}
}

func mac(a netip.Addr) string {
	b := a.As16()
	return fmt.Sprintf("00-0D-%02X-%02X-%02X-%02X", b[12], b[13], b[14], b[15])
}

func (r *renderer) publicAddress(a *world.IPConfig) object {
	id := a.PublicID
	p := object{
		"provisioningState": world.StateSucceeded, "resourceGuid": tag(id),
		"publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Dynamic", "idleTimeoutInMinutes": 4,
		"ipTags": []any{}, "ipConfiguration": object{"id": r.odd(a.ID)},
	}
	if a.Static() {
		p["publicIPAllocationMethod"] = "Static"
	}
	if a.Public.IsValid() { // not of a deallocated instance, where it is dynamic
		p["ipAddress"] = a.Public.String()
	}
	return object{"name": a.PublicName, "id": r.odd(id), "etag": `W/"` + tag(id) + `"`, "properties": p}
}

// groupAddress is a public address that is a resource of the group.
func (r *renderer) groupAddress(a *world.IPConfig, location any) object {
	body := r.publicAddress(a)
	body["type"], body["location"] = "Microsoft.Network/publicIPAddresses", location
	body["sku"] = object{"name": "Standard", "tier": "Regional"}
	return body
}

// groupInterface makes an interface of a scale set's one: the resource of a group
// has more to it (recording 04).
func (r *renderer) groupInterface(body object, location any) object {
	body["type"], body["kind"], body["location"] = "Microsoft.Network/networkInterfaces", "Regular", location
	p := body["properties"].(object)
	further := object{
		"nicType": "Standard", "allowPort25Out": true, "defaultOutboundConnectivityEnabled": false, "auxiliaryMode": "None",
		"auxiliarySku": "None", "vnetEncryptionSupported": false, "disableTcpStateTracking": false, "enableIPForwarding": false,
		"enableAcceleratedNetworking": false, "hostedWorkloads": []any{}, "tapConfigurations": []any{},
	}
	for key, value := range further {
		jsonmap.SetDefault(p, key, value)
	}
	for _, config := range jsonmap.List(p, "ipConfigurations") {
		if o, ok := config.(object); ok {
			o["type"] = "Microsoft.Network/networkInterfaces/ipConfigurations"
		}
	}
	return body
}

func (r *renderer) standaloneInterface(g *world.Group, n *world.StandaloneInterface) object {
	id := n.ID
	body := jsonmap.CloneObject(n.Body)
	etag := `W/"` + tag(id) + `"`
	body["name"], body["id"], body["etag"] = n.Name, r.odd(id), etag
	p := jsonmap.Ensure(body, "properties")
	p["provisioningState"], p["resourceGuid"] = world.StateSucceeded, tag(id)
	dns := jsonmap.Ensure(p, "dnsSettings")
	dns["internalDomainNameSuffix"], dns["appliedDnsServers"] = "armsim.bx.internal.cloudapp.net", []any{}
	jsonmap.SetDefault(dns, "dnsServers", []any{})
	for place, config := range jsonmap.List(p, "ipConfigurations") {
		o, ok := config.(object)
		if !ok {
			continue
		}
		o["id"], o["etag"] = r.odd(id+"/ipConfigurations/"+jsonmap.Text(o, "name")), etag
		q := jsonmap.Ensure(o, "properties")
		jsonmap.SetDefault(q, "primary", place == 0)
		jsonmap.SetDefault(q, "privateIPAddressVersion", "IPv4")
		q["provisioningState"], q["privateIPAllocationMethod"] = world.StateSucceeded, "Dynamic"
		q["privateIPAddress"] = n.Private[place].String()
	}
	if i := g.InterfaceUser(id); i != nil {
		p["virtualMachine"] = object{"id": r.odd(i.ID)}
	}
	return r.groupInterface(body, body["location"])
}
