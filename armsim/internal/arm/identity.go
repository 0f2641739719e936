package arm

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// The identities of scale sets and virtual machines, as on Microsoft's pages on configuring
// managed identities with REST: a user-assigned one is added by naming it, and removed by
// null.

// dropNulls removes what is null of a body, which counts as left out, but for a user-assigned
// identity.
func dropNulls(body object) {
	identities, _ := jsonmap.At(body, "identity.userAssignedIdentities").(object)
	var removed []string
	for id, value := range identities {
		if value == nil {
			removed = append(removed, id)
		}
	}
	jsonmap.DropNulls(body)
	for _, id := range removed {
		identities[id] = nil
	}
}

// mergeIdentity takes the identity out of a body, which may be the model itself, and lays it
// over the model's. What only Azure writes of an identity is not kept.
func mergeIdentity(model, body object) {
	change, given := body["identity"].(object)
	delete(body, "identity")
	if !given {
		return
	}
	had, _ := model["identity"].(object)
	kind := cmp.Or(jsonmap.Text(change, "type"), jsonmap.Text(had, "type"))
	merged := object{"type": kind}
	switch lower := strings.ToLower(kind); {
	case kind == "" || lower == "none":
		delete(model, "identity")
		return
	case strings.Contains(lower, "userassigned"):
		merged["userAssignedIdentities"] = mergedAssigned(had, change)
	}
	model["identity"] = merged
}

// mergedAssigned are the user-assigned identities, whose IDs are the same in any case.
func mergedAssigned(had, change object) object {
	merged := object{}
	before, _ := had["userAssignedIdentities"].(object)
	maps.Copy(merged, before)
	named, _ := change["userAssignedIdentities"].(object)
	for _, id := range slices.Sorted(maps.Keys(named)) {
		known := false
		for other := range merged {
			if !strings.EqualFold(other, id) {
				continue
			}
			known = true
			if named[id] == nil {
				delete(merged, other)
			}
		}
		if !known && named[id] != nil {
			merged[id] = object{}
		}
	}
	return merged
}

// identity adds to a body what Azure knows of the identities of the resource with the unique
// ID: their principals.
func (r *renderer) identity(body object, uniqueID string) {
	if _, ok := body["identity"].(object); !ok {
		return
	}
	identity := own(body, "identity")
	if world.HasSystemIdentity(body) {
		identity["principalId"], identity["tenantId"] = world.SystemPrincipal(uniqueID), r.tenant
	}
	if _, ok := identity["userAssignedIdentities"].(object); !ok {
		return
	}
	assigned := own(identity, "userAssignedIdentities")
	for id := range assigned {
		assigned[id] = r.assignedIdentity(id)
	}
}

// assignedIdentity has IDs of its own also where the simulator knows nothing of the identity.
func (r *renderer) assignedIdentity(id string) object {
	if known := r.world.FindResource(id); known != nil {
		p := known.Body["properties"]
		return object{"principalId": jsonmap.Text(p, "principalId"), "clientId": jsonmap.Text(p, "clientId")}
	}
	id = strings.ToLower(id)
	return object{"principalId": tag(id + "/principal"), "clientId": tag(id + "/client")}
}
