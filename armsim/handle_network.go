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

// publicConfig is the model's wish for a public address, nil for none.
func publicConfig(profile object) object {
	for _, nic := range list(profile, "networkProfile.networkInterfaceConfigurations") {
		for _, config := range list(nic, "properties.ipConfigurations") {
			if p, ok := at(config, "properties.publicIPAddressConfiguration").(object); ok {
				return p
			}
		}
	}
	return nil
}

func (s *Server) interfaceID(i *instance, nic any) string {
	return s.instanceID(i) + "/networkInterfaces/" + text(nic, "name")
}

func (c *call) interfaceRefs(i *instance) []any {
	refs := []any{}
	for _, nic := range list(i.profile, "networkProfile.networkInterfaceConfigurations") {
		refs = append(refs, object{"id": c.odd(c.server.interfaceID(i, nic))})
	}
	return refs
}

// tag is a stable GUID for a name, for the many that the Network provider has.
func tag(name string) string { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String() }

func (c *call) renderInterface(i *instance, nic any) object {
	id := c.server.interfaceID(i, nic)
	etag := `W/"` + tag(id) + `"`
	var configs []any
	for n, config := range list(nic, "properties.ipConfigurations") {
		configs = append(configs, c.renderIPConfig(i, id, config, n == 0))
	}
	p := object{
		"provisioningState": stateSucceeded, "resourceGuid": tag(id), "ipConfigurations": configs,
		"dnsSettings": object{
			"dnsServers": list(nic, "properties.dnsSettings.dnsServers"), "appliedDnsServers": []any{},
			"internalDomainNameSuffix": "armsim.bx.internal.cloudapp.net",
		},
		"macAddress": mac(i.private), "primary": flag(nic, "properties.primary"),
		"enableAcceleratedNetworking": flag(nic, "properties.enableAcceleratedNetworking"),
		"enableIPForwarding":          flag(nic, "properties.enableIPForwarding"),
		"virtualMachine":              object{"id": c.odd(c.server.instanceID(i))},
		"hostedWorkloads":             []any{}, "tapConfigurations": []any{},
	}
	if nsg := at(nic, "properties.networkSecurityGroup"); nsg != nil {
		p["networkSecurityGroup"] = clone(nsg)
	}
	c.unknown(p)
	return object{"name": text(nic, "name"), "id": c.odd(id), "etag": etag, "properties": p}
}

func (c *call) renderIPConfig(i *instance, nicID string, config any, first bool) object {
	id := nicID + "/ipConfigurations/" + text(config, "name")
	etag := `W/"` + tag(nicID) + `"`
	p := object{
		"provisioningState": stateSucceeded, "privateIPAddress": i.private.String(), "privateIPAllocationMethod": "Dynamic",
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
	if public := at(config, "properties.publicIPAddressConfiguration"); public != nil && i.public.IsValid() {
		p["publicIPAddress"] = object{"id": c.odd(id + "/publicIPAddresses/" + text(public, "name"))}
	}
	return object{"name": text(config, "name"), "id": c.odd(id), "etag": etag, "properties": p}
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
	instances, p := c.networkInstances()
	if p != nil {
		return nil, p
	}
	var keys []string
	var rendered []object
	for _, i := range instances {
		for n, nic := range list(i.profile, "networkProfile.networkInterfaceConfigurations") {
			keys = append(keys, sortable(i.id)+sortable(n))
			rendered = append(rendered, c.renderInterface(i, nic))
		}
	}
	return c.page(len(keys), func(n int) string { return keys[n] }, func(n int) object { return rendered[n] })
}

func getInterface(c *call) (*answer, *problem) {
	instances, p := c.networkInstances()
	if p != nil {
		return nil, p
	}
	for _, i := range instances {
		for _, nic := range list(i.profile, "networkProfile.networkInterfaceConfigurations") {
			if strings.EqualFold(text(nic, "name"), c.param("interface")) {
				return &answer{status: http.StatusOK, body: c.renderInterface(i, nic)}, nil
			}
		}
	}
	return nil, networkNotFound(c.request.URL.Path)
}

func listPublicAddresses(c *call) (*answer, *problem) {
	instances, p := c.networkInstances()
	if p != nil {
		return nil, p
	}
	var keys []string
	var rendered []object
	for _, i := range instances {
		if i.public.IsValid() {
			keys, rendered = append(keys, sortable(i.id)), append(rendered, c.renderPublicAddress(i))
		}
	}
	return c.page(len(keys), func(n int) string { return keys[n] }, func(n int) object { return rendered[n] })
}

func (c *call) renderPublicAddress(i *instance) object {
	for _, nic := range list(i.profile, "networkProfile.networkInterfaceConfigurations") {
		for _, config := range list(nic, "properties.ipConfigurations") {
			public := at(config, "properties.publicIPAddressConfiguration")
			if public == nil {
				continue
			}
			ipConfig := c.server.interfaceID(i, nic) + "/ipConfigurations/" + text(config, "name")
			id := ipConfig + "/publicIPAddresses/" + text(public, "name")
			p := object{
				"provisioningState": stateSucceeded, "resourceGuid": tag(id), "ipAddress": i.public.String(),
				"publicIPAddressVersion": "IPv4", "publicIPAllocationMethod": "Dynamic", "idleTimeoutInMinutes": 4,
				"ipTags": []any{}, "ipConfiguration": object{"id": c.odd(ipConfig)},
			}
			return object{"name": text(public, "name"), "id": c.odd(id), "etag": `W/"` + tag(id) + `"`, "properties": p}
		}
	}
	return object{}
}
