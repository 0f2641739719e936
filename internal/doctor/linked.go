package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// linkedActions are what a write that names a resource takes on that resource, with a role
// of Azure's that has it. For images it is the action of their reading.
var linkedActions = map[string]struct{ action, role string }{
	armops.GetSubnet:         {"Microsoft.Network/virtualNetworks/subnets/join/action", "Network Contributor"},
	armops.GetSecurityGroup:  {"Microsoft.Network/networkSecurityGroups/join/action", "Network Contributor"},
	armops.GetIdentity:       {"Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", "Managed Identity Operator"},
	armops.GetImage:          {armops.ByName(armops.GetImage).Action, "Reader"},
	armops.GetGalleryImage:   {armops.ByName(armops.GetGalleryImage).Action, "Reader"},
	armops.GetGalleryVersion: {armops.ByName(armops.GetGalleryVersion).Action, "Reader"},
}

// linked are the IDs of what the model names outside of the scale set's resource group,
// where the role of the plugin does not count.
func (c *cloud) linked() []string {
	ids := append(slices.Collect(maps.Keys(c.model.Identity.Identities)), c.model.Properties.Profile.Storage.Image.ID)
	for _, i := range c.model.Properties.Profile.Network.Interfaces {
		ids = append(ids, i.Properties.SecurityGroup.ID)
		for _, config := range i.Properties.Configs {
			ids = append(ids, config.Properties.Subnet.ID)
		}
	}
	group := strings.ToLower(c.groupID()) + "/"
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "" || strings.HasPrefix(strings.ToLower(id), group) })
	slices.Sort(ids)
	return slices.Compact(ids)
}

// checkLinked asks for permissions at each resource of another group or subscription that
// the model names. Whether Azure wants them when only the capacity is written is not
// documented; where it does it refuses that with LinkedAuthorizationFailed.
func (c *cloud) checkLinked(ctx context.Context) (found []Finding, _ error) {
	for _, id := range c.linked() {
		wanted, known := linkedActions[armops.Match("GET", id)]
		if !known {
			continue
		}
		all, err := c.permissions(ctx, armops.ListScopePermissions, id)
		switch {
		case err != nil:
			found = append(found, Finding{Level: Skipped, Text: "cannot be looked at: " + err.Error()})
		case !allows(all, wanted.action):
			found = append(found, warning(0, fmt.Sprintf("the identity lacks the permission %s on %s, which is not in the scale set's resource group: Azure may refuse new instances (LinkedAuthorizationFailed)", wanted.action, id),
				fmt.Sprintf("az role assignment create --assignee %s --role %q --scope %s, or a role with that action alone", cmp.Or(c.owner, "PRINCIPAL"), wanted.role, id)))
		}
	}
	return found, nil
}

// permissions are the identity's at a scope.
func (c *cloud) permissions(ctx context.Context, operation, scope string) (all []permission, err error) {
	err = c.azure.Each(ctx, operation, scope+"/providers/Microsoft.Authorization/permissions", nil, func(raw json.RawMessage) error {
		var p permission
		err := json.Unmarshal(raw, &p)
		all = append(all, p)
		return err
	})
	return all, err
}
