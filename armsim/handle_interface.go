package armsim

import (
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Interfaces and public addresses as resources of the group: those of virtual
// machines, which come and go with them, and interfaces that a client made.

// plainInterface is an interface that a client made; machines made by
// themselves name such ones.
type plainInterface struct {
	name    string
	body    object
	private []netip.Addr // of the IP configurations
}

func (s *Server) releaseInterface(n *plainInterface) {
	for _, a := range n.private {
		s.privatePool.Release(a)
	}
}

// named is a rendered resource and its name, by which lists are in order.
type named struct {
	name string
	body object
}

func (c *call) listNamed(all []named) (*answer, *problem) {
	slices.SortFunc(all, func(a, b named) int { return strings.Compare(strings.ToLower(a.name), strings.ToLower(b.name)) })
	return c.page(len(all), func(n int) string { return strings.ToLower(all[n].name) }, func(n int) object { return all[n].body })
}

// getNamed answers the one of all that the path names.
func (c *call) getNamed(all []named, param, kind string) (*answer, *problem) {
	for _, one := range all {
		if strings.EqualFold(one.name, c.param(param)) {
			return &answer{status: http.StatusOK, body: one.body, header: http.Header{"Etag": {text(one.body, "etag")}}}, nil
		}
	}
	return nil, resourceNotFound("Microsoft.Network/"+kind+"/"+c.param(param), c.param("group"))
}

func (c *call) plainInterfaces(g *group) []named {
	var all []named
	for _, i := range g.virtualMachines() {
		for _, n := range i.nics {
			if i.nic {
				all = append(all, named{n.name, c.renderPlain(c.renderInterface(i, n), i.head["location"])})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(g.interfaces)) {
		n := g.interfaces[name]
		all = append(all, named{n.name, c.renderOwnInterface(g, n)})
	}
	return all
}

// renderPlain makes an interface of a scale set's one: the resource of a group
// has more to it (recording 04).
func (c *call) renderPlain(body object, location any) object {
	body["type"], body["kind"], body["location"] = "Microsoft.Network/networkInterfaces", "Regular", location
	p := body["properties"].(object)
	further := object{
		"nicType": "Standard", "allowPort25Out": true, "defaultOutboundConnectivityEnabled": false, "auxiliaryMode": "None",
		"auxiliarySku": "None", "vnetEncryptionSupported": false, "disableTcpStateTracking": false, "enableIPForwarding": false,
		"enableAcceleratedNetworking": false, "hostedWorkloads": []any{}, "tapConfigurations": []any{},
	}
	for key, value := range further {
		setDefault(p, key, value)
	}
	for _, config := range list(p, "ipConfigurations") {
		if o, ok := config.(object); ok {
			o["type"] = "Microsoft.Network/networkInterfaces/ipConfigurations"
		}
	}
	return body
}

func listPlainInterfaces(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return c.listNamed(c.plainInterfaces(g))
}

func getPlainInterface(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return c.getNamed(c.plainInterfaces(g), "interface", "networkInterfaces")
}

func (c *call) plainAddresses(g *group) []named {
	var all []named
	for _, i := range g.virtualMachines() {
		for _, n := range i.nics {
			for _, a := range n.configs {
				if !i.nic || !a.public.IsValid() {
					continue
				}
				body := c.renderPublicAddress(i, n, a)
				body["type"], body["location"] = "Microsoft.Network/publicIPAddresses", i.head["location"]
				body["sku"] = object{"name": "Standard", "tier": "Regional"}
				all = append(all, named{a.publicName, body})
			}
		}
	}
	return all
}

func listPlainAddresses(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return c.listNamed(c.plainAddresses(g))
}

func getPlainAddress(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return c.getNamed(c.plainAddresses(g), "publicAddress", "publicIPAddresses")
}
