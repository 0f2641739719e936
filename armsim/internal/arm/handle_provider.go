package arm

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Resource providers and their registration (recording 31).

func renderProvider(c *call, p *world.Provider) object {
	location, id := c.front.config.Location, tag(p.Namespace)
	kinds := map[string]bool{"operations": true} // every provider has them
	for _, r := range c.front.routes {
		_, rest, ok := strings.Cut(r.pattern, "/providers/"+p.Namespace+"/")
		if name, _, _ := strings.Cut(rest, "/"); ok && !strings.HasPrefix(name, "{") {
			kinds[name] = true
		}
	}
	versions := texts(knownVersions[strings.ToLower(p.Namespace)].named)
	if len(versions) == 0 {
		versions = []any{"2015-06-15"}
	}
	slices.Reverse(versions) // newest first
	types := []any{}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		types = append(types, object{"resourceType": kind, "locations": []any{location}, "apiVersions": versions, "capabilities": "None"})
	}
	return object{
		"id": "/subscriptions/" + c.front.config.SubscriptionID + "/providers/" + p.Namespace, "namespace": p.Namespace,
		"authorization": object{"applicationId": id, "roleDefinitionId": tag(id)}, "resourceTypes": types,
		"registrationState": p.State, "registrationPolicy": "RegistrationRequired",
	}
}

func listProviders(c *call) (*response, *problem) {
	return page(c.pager, c.world.Providers.All(), func(p *world.Provider) string { return strings.ToLower(p.Namespace) }, func(p *world.Provider) object { return renderProvider(c, p) })
}

func getProvider(c *call) (*response, *problem) {
	p := c.world.Providers.Find(c.param("namespace"))
	if p == nil {
		return nil, invalidNamespace(c.param("namespace"))
	}
	return &response{Status: http.StatusOK, Body: renderProvider(c, p)}, nil
}

// moveProvider begins or ends a registration.
func moveProvider(move func(*world.Providers, *world.Provider)) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) {
		if p := c.world.Providers.Find(c.param("namespace")); p != nil {
			move(c.world.Providers, p)
		}
		return getProvider(c)
	}
}
