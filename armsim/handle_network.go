package armsim

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/google/uuid"
)

// The Network provider's view of a scale set's instances. Its resources live
// under "microsoft.Compute" paths with their own api-version, and show up later
// than the VMs they belong to.

func (c *call) interfaceRefs(i *instance) []any {
	refs := []any{}
	for _, n := range i.nics {
		refs = append(refs, object{"id": c.odd(c.server.interfaceID(i, n))})
	}
	return refs
}

// tag is a stable GUID for a name, for the many that the Network provider has.
func tag(name string) string { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String() }

func (c *call) renderInterface(i *instance, n *nic) object {
	id := c.server.interfaceID(i, n)
	configs, address := []any{}, i.private
	for place, a := range n.configs {
		configs = append(configs, c.renderIPConfig(i, n, a, place == 0))
		if place == 0 {
			address = a.private
		}
	}
	p := object{
		"provisioningState": stateSucceeded, "resourceGuid": tag(id), "ipConfigurations": configs,
		"dnsSettings": object{
			"dnsServers": list(n.model, "properties.dnsSettings.dnsServers"), "appliedDnsServers": []any{},
			"internalDomainNameSuffix": "armsim.bx.internal.cloudapp.net",
		},
		"macAddress": mac(address), "primary": flag(n.model, "properties.primary"),
		"enableAcceleratedNetworking": flag(n.model, "properties.enableAcceleratedNetworking"),
		"enableIPForwarding":          flag(n.model, "properties.enableIPForwarding"),
		"virtualMachine":              object{"id": c.odd(c.server.instanceID(i))},
		"hostedWorkloads":             []any{}, "tapConfigurations": []any{},
	}
	if nsg := at(n.model, "properties.networkSecurityGroup"); nsg != nil {
		p["networkSecurityGroup"] = clone(nsg)
	}
	c.unknown(p)
	return object{"name": n.name, "id": c.odd(id), "etag": `W/"` + tag(id) + `"`, "properties": p}
}

func (c *call) renderIPConfig(i *instance, n *nic, a *ipConfig, first bool) object {
	config := a.model
	p := object{
		"provisioningState": stateSucceeded, "privateIPAddress": a.private.String(), "privateIPAllocationMethod": "Dynamic",
		"primary": first || flag(config, "properties.primary"), "privateIPAddressVersion": text(config, "properties.privateIPAddressVersion"),
	}
	for _, key := range []string{"subnet", "loadBalancerBackendAddressPools", "applicationSecurityGroups", "applicationGatewayBackendAddressPools"} {
		if value := at(config, "properties."+key); value != nil {
			p[key] = clone(value)
		}
	}
	// A NAT pool of the model becomes a NAT rule of the instance (recording 11).
	rules := []any{}
	for _, pool := range list(config, "properties.loadBalancerInboundNatPools") {
		rules = append(rules, object{"id": fmt.Sprintf("%s.%d", strings.Replace(text(pool, "id"), "/inboundNatPools/", "/inboundNatRules/", 1), i.id)})
	}
	if len(rules) > 0 {
		p["loadBalancerInboundNatRules"] = rules
	}
	if a.public.IsValid() {
		p["publicIPAddress"] = object{"id": c.odd(c.server.publicAddressID(i, n, a))}
	}
	return object{
		"name": text(config, "name"), "id": c.odd(c.server.ipConfigID(i, n, a)), "etag": `W/"` + tag(c.server.interfaceID(i, n)) + `"`, "properties": p,
	}
}

func mac(a netip.Addr) string {
	b := a.As16()
	return fmt.Sprintf("00-0D-%02X-%02X-%02X-%02X", b[12], b[13], b[14], b[15])
}

// networkInstances are the instances of the path whose interfaces are listed.
// A Flexible set is unknown to these calls (terraform-provider-azurerm#22439).
func (c *call) networkInstances() ([]*instance, *problem) {
	if _, p := c.group(); p != nil {
		return nil, p // Resource Manager's own answer, before the provider's
	}
	set, p := c.scaleSet()
	if p != nil || !set.uniform() {
		return nil, networkNotFound(c.request.URL.Path)
	}
	var shown []*instance
	for _, i := range set.instances {
		if i.nic && (c.param("instance") == "" || c.param("instance") == fmt.Sprint(i.id)) {
			shown = append(shown, i)
		}
	}
	return shown, nil
}

func listInterfaces(c *call) (*answer, *problem) {
	return c.listOfEach(func(i *instance) []object {
		var all []object
		for _, n := range i.nics {
			all = append(all, c.renderInterface(i, n))
		}
		return all
	})
}

func getInterface(c *call) (*answer, *problem) {
	instances, p := c.networkInstances()
	if p != nil {
		return nil, p
	}
	for _, i := range instances {
		for _, n := range i.nics {
			if strings.EqualFold(n.name, c.param("interface")) {
				return &answer{status: http.StatusOK, body: c.renderInterface(i, n)}, nil
			}
		}
	}
	return nil, networkNotFound(c.request.URL.Path)
}

func listPublicAddresses(c *call) (*answer, *problem) { return c.listOfEach(c.publicAddresses) }

// listOfEach is a page of what the instances have.
func (c *call) listOfEach(has func(*instance) []object) (*answer, *problem) {
	instances, p := c.networkInstances()
	if p != nil {
		return nil, p
	}
	var keys []string
	var rendered []object
	for _, i := range instances {
		for place, body := range has(i) {
			keys, rendered = append(keys, sortable(i.id)+sortable(place)), append(rendered, body)
		}
	}
	return c.page(len(keys), func(n int) string { return keys[n] }, func(n int) object { return rendered[n] })
}

// publicAddresses are the instance's, of the interface and the configuration
// that the path names, if any.
func (c *call) publicAddresses(i *instance) []object {
	var all []object
	for _, n := range i.nics {
		for _, a := range n.configs {
			if a.public.IsValid() && c.isAt("interface", n.name) && c.isAt("config", text(a.model, "name")) {
				all = append(all, c.renderPublicAddress(i, n, a))
			}
		}
	}
	return all
}

func (c *call) isAt(param, name string) bool {
	return c.param(param) == "" || strings.EqualFold(c.param(param), name)
}

func (c *call) renderPublicAddress(i *instance, n *nic, a *ipConfig) object {
	id := c.server.publicAddressID(i, n, a)
	p := object{
		"provisioningState": stateSucceeded, "resourceGuid": tag(id), "ipAddress": a.public.String(),
		"publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Dynamic", "idleTimeoutInMinutes": 4,
		"ipTags": []any{}, "ipConfiguration": object{"id": c.odd(c.server.ipConfigID(i, n, a))},
	}
	return object{"name": a.publicName, "id": c.odd(id), "etag": `W/"` + tag(id) + `"`, "properties": p}
}
