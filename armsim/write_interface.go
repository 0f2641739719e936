package armsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// putPlainInterface writes an interface; it is done at once (recording 04).
func putPlainInterface(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	if g.deleting != nil {
		return nil, groupBeingDeleted(g.name)
	}
	if text(c.body, "location") == "" {
		return nil, locationRequired()
	}
	if c.memberOf(g) != nil {
		return nil, notSimulated("PUT of", "an interface of a scale set's virtual machine")
	}
	key, status := strings.ToLower(c.param("interface")), http.StatusOK
	n, ok := g.interfaces[key]
	if !ok {
		n, status = &plainInterface{name: c.param("interface")}, http.StatusCreated
	}
	n.body = cloneObject(c.body)
	dropReadOnly(n.body)
	dropSecrets(n.body)
	if err := c.server.addressInterface(n); err != nil {
		if !ok {
			c.server.releaseInterface(n)
		}
		return nil, newProblem(http.StatusBadRequest, "SubnetIsFull", "%s", err)
	}
	g.interfaces[key] = n
	return &answer{status: status, body: c.renderOwnInterface(g, n)}, nil
}

// addressInterface gives each IP configuration an address, and keeps those that
// were given before.
func (s *Server) addressInterface(n *plainInterface) error {
	for range len(list(n.body, "properties.ipConfigurations")) - len(n.private) {
		a, err := s.privatePool.Take()
		if err != nil {
			return err
		}
		n.private = append(n.private, a)
	}
	return nil
}

func (c *call) renderOwnInterface(g *group, n *plainInterface) object {
	id := c.server.groupID(g) + "/providers/Microsoft.Network/networkInterfaces/" + n.name
	body := cloneObject(n.body)
	etag := `W/"` + tag(id) + `"`
	body["name"], body["id"], body["etag"] = n.name, c.odd(id), etag
	p := ensure(body, "properties")
	p["provisioningState"], p["resourceGuid"] = stateSucceeded, tag(id)
	dns := ensure(p, "dnsSettings")
	dns["internalDomainNameSuffix"], dns["appliedDnsServers"] = "armsim.bx.internal.cloudapp.net", []any{}
	setDefault(dns, "dnsServers", []any{})
	for place, config := range list(p, "ipConfigurations") {
		o, ok := config.(object)
		if !ok {
			continue
		}
		o["id"], o["etag"] = c.odd(id+"/ipConfigurations/"+text(o, "name")), etag
		q := ensure(o, "properties")
		setDefault(q, "primary", place == 0)
		setDefault(q, "privateIPAddressVersion", "IPv4")
		q["provisioningState"], q["privateIPAllocationMethod"] = stateSucceeded, "Dynamic"
		q["privateIPAddress"] = n.private[place].String()
	}
	if i := g.attachedTo(id); i != nil {
		p["virtualMachine"] = object{"id": c.odd(c.server.instanceID(i))}
	}
	return c.renderPlain(body, body["location"])
}

// attachedTo is the machine that a client gave the interface to.
func (g *group) attachedTo(interfaceID string) *instance {
	for _, i := range g.machines.instances {
		for _, ref := range list(i.profile, "networkProfile.networkInterfaces") {
			if strings.EqualFold(text(ref, "id"), interfaceID) {
				return i
			}
		}
	}
	return nil
}

// memberOf is the virtual machine of a scale set that the path's interface
// belongs to.
func (c *call) memberOf(g *group) *instance {
	for _, i := range g.virtualMachines() {
		if slices.ContainsFunc(i.nics, func(n *nic) bool { return strings.EqualFold(n.name, c.param("interface")) }) {
			return i
		}
	}
	return nil
}

// deletePlainInterface answers 200 and an operation (recording 04); an
// interface in use stays.
func deletePlainInterface(c *call) (*answer, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	n, ok := g.interfaces[strings.ToLower(c.param("interface"))]
	id := c.server.groupID(g) + "/providers/Microsoft.Network/networkInterfaces/" + c.param("interface")
	user := c.memberOf(g)
	if ok {
		user = g.attachedTo(id)
	}
	if user != nil {
		return nil, newProblem(http.StatusBadRequest, "NicInUse", "Network Interface %s is used by existing resource %s.", id, c.server.instanceID(user))
	}
	if !ok {
		return &answer{status: http.StatusNoContent}, nil
	}
	s := c.server
	s.releaseInterface(n)
	delete(g.interfaces, strings.ToLower(n.name))
	o := s.begin(nil, "Delete network interface")
	s.time.after(bookkeeping, func() { s.end(o, nil) })
	return c.acceptedByNetwork(o, http.StatusOK), nil
}

// acceptedByNetwork is accepted in the Network provider's manner.
func (c *call) acceptedByNetwork(o *operation, status int) *answer {
	url := func(kind string) string {
		return fmt.Sprintf("https://%s/subscriptions/%s/providers/Microsoft.Network/locations/%s/%s/%s?api-version=%s",
			c.request.Host, c.server.config.SubscriptionID, strings.ToLower(c.server.config.Location), kind, o.id, c.apiVersion)
	}
	return &answer{status: status, header: http.Header{
		"Azure-Asyncoperation": {url("operations")}, "Azure-Asyncnotification": {"Enabled"}, "Location": {url("operationResults")},
	}}
}

func getNetworkOperation(c *call) (*answer, *problem) {
	o, ok := c.server.operations[strings.ToLower(c.param("operation"))]
	if !ok {
		return nil, operationNotFound(c.param("operation"))
	}
	return &answer{status: http.StatusOK, body: object{"status": o.status()}}, nil
}

func getNetworkResult(c *call) (*answer, *problem) {
	o, ok := c.server.operations[strings.ToLower(c.param("operation"))]
	switch {
	case !ok:
		return nil, operationNotFound(c.param("operation"))
	case o.running():
		return c.acceptedByNetwork(o, http.StatusAccepted), nil
	}
	return &answer{status: http.StatusNoContent}, nil
}
