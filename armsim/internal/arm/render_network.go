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
			"dnsServers": dnsServers(n.Model), "appliedDnsServers": dnsServers(n.Model),
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
	return object{"name": n.Name, "id": r.odd(id), "etag": memberETag(i, n), "properties": p}
}

// dnsServers are those of an interface. What the specification says of availability sets,
// where each has those of all, is not simulated: without one they are the interface's.
func dnsServers(model any) []any {
	return append([]any{}, jsonmap.List(model, "properties.dnsSettings.dnsServers")...)
}

// memberETag is the ETag of an instance's interface, which moves with what is said of it.
func memberETag(i *world.Instance, n *world.Interface) string {
	state, _ := jsonmap.Append(nil, n.Model)
	for _, config := range n.Configs {
		state = append(state, config.Public.String()...)
	}
	return `W/"` + tag(n.ID+string(state)+i.Power) + `"`
}

func interfaceETag(n *world.StandaloneInterface) string {
	return `W/"` + tag(fmt.Sprint(n.ID, n.Revision)) + `"`
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
		"name": jsonmap.Text(config, "name"), "id": r.odd(a.ID), "etag": memberETag(i, n), "properties": p,
	}
}

func mac(a netip.Addr) string {
	b := a.As16()
	return fmt.Sprintf("00-0D-%02X-%02X-%02X-%02X", b[12], b[13], b[14], b[15])
}

func (r *renderer) publicAddress(i *world.Instance, a *world.IPConfig) object {
	id := a.PublicID
	p := object{
		"provisioningState": world.StateSucceeded, "resourceGuid": tag(id),
		"publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Dynamic", "idleTimeoutInMinutes": 4,
		"ipTags": []any{}, "ipConfiguration": object{"id": r.odd(a.ID)},
	}
	if a.Static() {
		p["publicIPAllocationMethod"] = "Static"
	}
	config := jsonmap.At(a.Model, "properties.publicIPAddressConfiguration.properties")
	for _, key := range []string{"idleTimeoutInMinutes", "ipTags", "publicIPPrefix", "publicIPAddressVersion"} {
		if value := jsonmap.At(config, key); value != nil {
			p[key] = value
		}
	}
	if label := jsonmap.Text(config, "dnsSettings.domainNameLabel"); label != "" {
		p["dnsSettings"] = r.domainName(i, label)
	}
	if a.Public.IsValid() { // not of a deallocated instance, where it is dynamic
		p["ipAddress"] = a.Public.String()
	}
	return object{"name": a.PublicName, "id": r.odd(id), "etag": `W/"` + tag(id) + `"`, "properties": p}
}

// domainName is that of an instance's public address: the label of the model after the
// number of the virtual machine (Microsoft's page on the network of scale sets). That it is
// the same in a Flexible set is believed.
func (r *renderer) domainName(i *world.Instance, label string) object {
	label = fmt.Sprintf("vm%d.%s", i.Number, label)
	location, _ := i.Set.Model["location"].(string)
	return object{"domainNameLabel": label, "fqdn": label + "." + location + ".cloudapp.azure.com"}
}

// groupAddress is a public address that is a resource of the group.
func (r *renderer) groupAddress(i *world.Instance, a *world.IPConfig) object {
	body := r.publicAddress(i, a)
	body["type"], body["location"] = "Microsoft.Network/publicIPAddresses", i.Head["location"]
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
	etag := interfaceETag(n)
	body["name"], body["id"], body["etag"] = n.Name, r.odd(id), etag
	p := jsonmap.Ensure(body, "properties")
	p["provisioningState"], p["resourceGuid"] = world.StateSucceeded, tag(id)
	dns := jsonmap.Ensure(p, "dnsSettings")
	dns["internalDomainNameSuffix"] = "armsim.bx.internal.cloudapp.net"
	dns["dnsServers"], dns["appliedDnsServers"] = dnsServers(n.Body), dnsServers(n.Body)
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
		if subnet := jsonmap.Text(q, "subnet.id"); subnet != "" {
			q["subnet"] = object{"id": subnet} // what else a client sends of it is not kept (recording 04)
		}
	}
	if i := g.InterfaceUser(id); i != nil {
		p["virtualMachine"] = object{"id": r.odd(i.ID)}
	}
	return r.groupInterface(body, body["location"])
}
