package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// subscription has the fields of the specification of subscriptions (2022-12-01).
func (c *call) subscription() object {
	id := c.front.config.SubscriptionID
	return object{
		"id": "/subscriptions/" + id, "subscriptionId": id, "tenantId": c.front.config.TenantID,
		"displayName": "armsim", "state": "Enabled", "authorizationSource": "RoleBased", "managedByTenants": []any{},
		"subscriptionPolicies": object{"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
	}
}

func getSubscription(c *call) (*response, *problem) {
	return &response{Status: http.StatusOK, Body: c.subscription()}, nil
}

// listSubscriptions shows the subscription to whom has a right in it.
func listSubscriptions(c *call) (*response, *problem) {
	value := []any{}
	if c.world.Access.MayAnywhere(c.principal, "Microsoft.Resources/subscriptions/read") {
		value = append(value, c.subscription())
	}
	return &response{Status: http.StatusOK, Body: object{"value": value, "count": object{"type": "Total", "value": len(value)}}}, nil
}

func listTenants(c *call) (*response, *problem) {
	id := c.front.config.TenantID
	return &response{Status: http.StatusOK, Body: object{"value": []any{object{
		"id": "/tenants/" + id, "tenantId": id, "countryCode": "DE", "displayName": "armsim", "tenantCategory": "Home", "tenantType": "AAD",
		"defaultDomain": "armsim.invalid", "domains": []any{"armsim.invalid"},
	}}}}, nil
}

// ofEachGroup is what all groups have, in the order of the groups, and only that of
// groups where the caller may read it.
func ofEachGroup[T any](c *call, of func(*world.Group) []T) []T {
	var all []T
	for _, g := range c.world.Groups() {
		if c.world.Access.May(c.principal, c.route.action, g.ID) {
			all = append(all, of(g)...)
		}
	}
	return all
}

// elsewhere reports whether the path is about another location than this one.
func (c *call) elsewhere(model any) bool {
	location, _ := model.(string)
	return !c.names("location", strings.ReplaceAll(location, " ", ""))
}

func listAllScaleSets(c *call) (*response, *problem) {
	all := slices.DeleteFunc(ofEachGroup(c, (*world.Group).ScaleSets), func(set *world.ScaleSet) bool { return c.elsewhere(set.Model["location"]) })
	return page(c.pager, sorted(all, scaleSetID), scaleSetID, c.render.scaleSet)
}

func scaleSetID(set *world.ScaleSet) string { return strings.ToLower(set.ID) }

func machineID(i *world.Instance) string { return strings.ToLower(i.ID) }

// listAllMachines shows instance views alone where the request has statusOnly
// (the specification of VirtualMachines_ListAll), and takes the filter of the group's list.
func listAllMachines(c *call) (*response, *problem) {
	all := slices.DeleteFunc(ofEachGroup(c, (*world.Group).VirtualMachines), func(i *world.Instance) bool { return c.elsewhere(i.Head["location"]) })
	return c.pageOfMachines(sorted(all, machineID), machineID)
}

// sorted puts entries in the order of their keys.
func sorted[T any](all []T, key func(T) string) []T {
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	return all
}

// inGroup puts the group before the names of what is listed, which may be the same
// in two groups.
func inGroup(g *world.Group, all []named) []named {
	for n := range all {
		all[n].name = g.Name + "/" + all[n].name
	}
	return all
}

func listEveryInterface(c *call) (*response, *problem) {
	return c.listNamed(ofEachGroup(c, func(g *world.Group) []named { return inGroup(g, c.groupInterfaces(g)) }))
}

func listEveryAddress(c networks) (*response, *problem) {
	return c.listNamed(ofEachGroup(c.call, func(g *world.Group) []named { return inGroup(g, c.allAddresses(g)) }))
}

func listEveryNetwork(k networkKind) func(*call) (*response, *problem) {
	return ofNetworks(func(c networks) (*response, *problem) {
		return c.listNamed(ofEachGroup(c.call, func(g *world.Group) []named { return inGroup(g, c.resources(g.Resources(k.kind))) }))
	})
}

func listAllResources(c *call) (*response, *problem) {
	f, p := c.resourceFilter()
	if p != nil {
		return nil, p
	}
	return c.listNamed(ofEachGroup(c, func(g *world.Group) []named { return inGroup(g, c.listedResources(g, f)) }))
}

// resourceFilter reads the filter that lists of resources have.
func (c *call) resourceFilter() (filter, *problem) {
	return c.filter("resourcetype", "name", "tagname", "tagvalue", "resourcegroup")
}

// listedResources are the resources of a group that the filter lets through.
func (c *call) listedResources(g *world.Group, f filter) []named {
	var shown []named
	if !f.matches("resourcegroup", g.Name) {
		return nil
	}
	for _, one := range groupResources(c, g) {
		name := jsonmap.Text(one.body, "name")
		if f.matches("resourcetype", one.kind()) && f.matches("name", name) && f.matchesTags(one.body["tags"]) {
			shown = append(shown, named{strings.ToLower(one.kind()) + "/" + name, func() object { return one.body }})
		}
	}
	return shown
}
