package arm

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// gatekeeper checks what Resource Manager checks in front of every provider:
// rights, locks, the provider's registration and what a request links to.
type gatekeeper struct{ *call }

// anywhere are operations that who holds their action at any scope may call.
// Their paths are the subscription's, but clients with rights in one group poll
// operations and read the subscription.
var anywhere = []string{
	"Operations_Get", "GalleryOperations_Get", "DiskOperations_Get", "NetworkOperations_Get", "NetworkOperationResults_Get", "OperationResults_Get", "StandbyPoolOperations_Get", "Subscriptions_Get",
	"ResourceGroups_List", "ActivityLogs_List", "Resources_List", // those that the caller may read; for the latter and those below it is believed
	"VirtualMachineScaleSets_ListAll", "VirtualMachineScaleSets_ListByLocation", "VirtualMachines_ListAll", "VirtualMachines_ListByLocation",
	"Disks_List", "StandbyVirtualMachinePools_ListBySubscription", "NetworkInterfaces_ListAll", "PublicIPAddresses_ListAll", "VirtualNetworks_ListAll", "NetworkSecurityGroups_ListAll",
	"PolicyDefinitions_GetBuiltIn", "PolicySetDefinitions_GetBuiltIn", // which are in no subscription
}

// permitted reports whether the caller holds the action of the request.
func (c gatekeeper) permitted() bool {
	access := c.world.Access
	switch {
	case c.route.action == "":
		return true
	case c.route.operation == "Permissions_ListForResource" && !c.world.Unknowns().PermissionsNeedRole:
		return true
	case slices.Contains(anywhere, c.route.operation):
		return access.MayAnywhere(c.principal, c.route.action)
	}
	return access.May(c.principal, c.route.action, c.request.URL.Path)
}

// check is what comes after rights: the provider's registration, locks,
// and rights on what the request links to. Their order is believed.
func (c gatekeeper) check() *problem {
	for _, check := range []func() *problem{c.checkRegistered, c.checkLocks, c.checkLinked} {
		if p := check(); p != nil {
			return p
		}
	}
	return nil
}

// checkRegistered refuses a provider that the subscription has not registered
// (recording 38). Reads are refused too, which is believed.
func (c gatekeeper) checkRegistered() *problem {
	namespace, _ := c.provider()
	provider := c.world.Providers.Find(namespace)
	if provider == nil || provider.Usable() {
		return nil
	}
	return missingRegistration(provider.Namespace)
}

// deletes reports whether a CanNotDelete lock forbids the request. That it
// forbids the deletion of instances by POST is believed.
func (c gatekeeper) deletes() bool {
	return c.request.Method == del || c.route.operation == "VirtualMachineScaleSets_DeleteInstances"
}

// checkLocks refuses what a lock at the scope, above it or, for a deletion,
// below it forbids (recording 38). Locks themselves are free, or none could be
// removed.
func (c gatekeeper) checkLocks() *problem {
	if isRead(c.request.Method) || strings.HasPrefix(c.route.operation, "ManagementLocks_") || strings.HasPrefix(c.route.operation, "Providers_") {
		return nil
	}
	scope, verb := c.request.URL.Path, "write"
	if c.deletes() {
		verb = "delete"
	}
	var locked []string
	for _, l := range c.world.Access.Locks() {
		level := l.Level == world.LockReadOnly || c.deletes()
		if level && (world.Within(l.Scope, scope) || c.request.Method == del && world.Within(scope, l.Scope)) {
			locked = append(locked, l.Scope)
		}
	}
	if len(locked) == 0 {
		return nil
	}
	return scopeLocked(scope, verb, locked)
}

func isRead(method string) bool { return method == get || method == head }

// challenge adds to a 401 whom a client must ask for a token: its last segment is
// the tenant, and clients find it so (Azure/go-autorest, azure-cli).
func (c *call) challenge(a *response) {
	if a.Header == nil {
		a.Header = http.Header{}
	}
	description := "The authentication failed because of missing 'Authorization' header."
	if c.request.Header.Get("Authorization") != "" {
		description = "The access token is invalid."
	}
	a.Header.Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization_uri="%s", error="invalid_token", error_description="%s"`,
		c.front.config.Issuer.Authority(), description))
}
