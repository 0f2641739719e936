package arm

import (
	"maps"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// A write that names another resource needs a right on that one, too. Which one
// is on Microsoft's pages on the permissions of Network, managed identities and
// galleries.

// linkedActions are the rights by the type of what is named.
var linkedActions = map[string]string{
	strings.ToLower(world.KindSubnet):                     world.KindSubnet + "/join/action",
	strings.ToLower(world.KindSecurityGroup):              world.KindSecurityGroup + "/join/action",
	strings.ToLower(world.KindNATGateway):                 world.KindNATGateway + "/join/action",
	strings.ToLower(world.KindPublicAddress):              world.KindPublicAddress + "/join/action",
	"microsoft.network/loadbalancers/backendaddresspools": world.KindLoadBalancer + "/backendAddressPools/join/action",
	"microsoft.network/loadbalancers/inboundnatpools":     world.KindLoadBalancer + "/inboundNatPools/join/action",
	strings.ToLower(world.KindIdentity):                   world.KindIdentity + "/assign/action",
	"microsoft.compute/images":                            "Microsoft.Compute/images/read",
	"microsoft.compute/galleries/images":                  "Microsoft.Compute/galleries/images/read",
	"microsoft.compute/galleries/images/versions":         "Microsoft.Compute/galleries/images/versions/read",
}

// backReferences are properties that Azure writes: who sends back what it read
// joins nothing by them.
var backReferences = []string{"ipConfigurations", "ipConfiguration", "networkInterfaces"}

// balancerBackReferences are those of a load balancer's parts.
var balancerBackReferences = []string{"backendIPConfigurations", "backendIPConfiguration", "loadBalancerBackendAddresses", "inboundNatRules"}

// typeOf is the type in a resource ID in lower case, empty where it is none.
func typeOf(id string) string {
	parts := strings.Split(strings.ToLower(strings.Trim(id, "/")), "/")
	if len(parts) < 8 || parts[0] != "subscriptions" || parts[4] != "providers" {
		return ""
	}
	kind := parts[5]
	for n := 6; n < len(parts); n += 2 {
		kind += "/" + parts[n]
	}
	return kind
}

// linkedIDs are the resource IDs that a body names, in an order that replays.
func (c gatekeeper) linkedIDs(v any, found map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			c.linkedIDs(element, found)
		}
	case object:
		for key, member := range v {
			c.linkedMember(key, member, found)
		}
	}
}

func (c gatekeeper) linkedMember(key string, member any, found map[string]bool) {
	switch key {
	case "id":
		if id, _ := member.(string); typeOf(id) != "" {
			found[id] = true
		}
		return
	case "userAssignedIdentities":
		identities, _ := member.(object)
		for id, value := range identities {
			if value != nil { // else it is removed
				found[id] = true
			}
		}
		return
	}
	if !c.writesBack(key) {
		c.linkedIDs(member, found)
	}
}

// writesBack reports whether the property of the resource written is Azure's.
func (c gatekeeper) writesBack(key string) bool {
	switch c.route.operation {
	case "NetworkSecurityGroups_CreateOrUpdate", "NatGateways_CreateOrUpdate":
		return key == "subnets" || slices.Contains(backReferences, key)
	case "PublicIPAddresses_CreateOrUpdate":
		return key == "natGateway" || slices.Contains(backReferences, key)
	case "LoadBalancers_CreateOrUpdate":
		return slices.Contains(balancerBackReferences, key)
	case "VirtualNetworks_CreateOrUpdate", "Subnets_CreateOrUpdate":
		return slices.Contains(backReferences, key)
	}
	return false
}

// checkLinked refuses a write that names a resource on which the caller lacks
// the right, and one that names a resource that is not there. What lies below
// the resource written is its own.
func (c gatekeeper) checkLinked() *problem {
	if c.request.Method != put && c.request.Method != patch || c.body == nil || c.route.operation == "Deployments_CreateOrUpdate" {
		return nil // a deployment's resources are checked one by one
	}
	if strings.HasPrefix(c.route.operation, "VirtualMachine") {
		if p := checkLinkedIDs(c.body["properties"], "properties"); p != nil {
			return p
		}
	}
	found := map[string]bool{}
	c.linkedIDs(c.body, found)
	for _, id := range slices.Sorted(maps.Keys(found)) {
		action := linkedActions[typeOf(id)]
		if action == "" || world.Within(c.request.URL.Path, id) {
			continue
		}
		if p := c.checkLink(id, action); p != nil {
			return p
		}
	}
	return nil
}

func (c gatekeeper) checkLink(id, action string) *problem {
	if !c.exists(id) {
		switch {
		case !c.mustExist(id):
			return nil
		case typeOf(id) == strings.ToLower(world.KindIdentity):
			return identityNotFound(id, c.request.URL.Path)
		}
		return invalidReference(id, c.request.URL.Path)
	}
	if !c.world.Access.May(c.principal, action, id) {
		return linkedAuthorizationFailed(c.client, c.principal, c.route.action, c.request.URL.Path, action, id)
	}
	return nil
}

// mustExist reports whether the request is refused where the resource is not
// there. Network resources that are written as such may name only what exists.
// Scale sets, machines and interfaces may name a network that the simulator
// knows nothing of, unless Config.CheckReferences is set; but where the virtual
// network is there its subnet must be, too.
func (c gatekeeper) mustExist(id string) bool {
	kind := typeOf(id)
	if !strings.HasPrefix(kind, "microsoft.network/") && kind != strings.ToLower(world.KindIdentity) {
		return false
	}
	if slices.Contains(networkWrites, c.route.operation) || c.front.config.CheckReferences {
		return true
	}
	at := strings.Index(strings.ToLower(id), "/subnets/")
	return at >= 0 && c.exists(id[:at])
}

// exists reports whether the simulator knows the resource: no right is needed on
// one that it knows nothing of. The latest version of an image stands for all.
func (c gatekeeper) exists(id string) bool {
	id = strings.TrimSuffix(strings.ToLower(id), "/versions/latest")
	return c.world.FindResource(id) != nil || c.world.FindKept(id) != nil || c.world.HasPart(id)
}

var networkWrites = []string{
	"NetworkSecurityGroups_CreateOrUpdate", "NatGateways_CreateOrUpdate", "VirtualNetworks_CreateOrUpdate", "Subnets_CreateOrUpdate",
	"LoadBalancers_CreateOrUpdate", "InboundNatRules_CreateOrUpdate",
}
