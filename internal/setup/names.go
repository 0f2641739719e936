package setup

import (
	"strings"

	"github.com/google/uuid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

// ownerTag marks what setup has made, with the name of the scale set it was for. Only
// such things are changed or removed.
const ownerTag = "fleeting-plugin-azure-setup"

// config is where the scale set is, as the plugin gets it.
func (s *Spec) config() *config.Config {
	return &config.Config{SubscriptionID: s.Subscription, ResourceGroupName: s.Group, Name: s.Name}
}

// GroupID is the resource ID of the resource group.
func (s *Spec) GroupID() string { return s.config().GroupID() }

func (s *Spec) networkID(kind, name string) string {
	return s.GroupID() + "/providers/Microsoft.Network/" + kind + "/" + name
}

func (s *Spec) securityGroupID() string { return s.networkID("networkSecurityGroups", s.Name+"-nsg") }
func (s *Spec) addressID() string       { return s.networkID("publicIPAddresses", s.Name+"-ip") }
func (s *Spec) gatewayID() string       { return s.networkID("natGateways", s.Name+"-nat") }
func (s *Spec) vnetID() string          { return s.networkID("virtualNetworks", s.Name+"-vnet") }

// subnetID is the subnet of the instances, made or given.
func (s *Spec) subnetID() string {
	if s.SubnetID != "" {
		return s.SubnetID
	}
	return s.vnetID() + "/subnets/" + s.Name
}

// ScaleSetID is the resource ID of the scale set.
func (s *Spec) ScaleSetID() string { return s.config().ScaleSetID() }

func (s *Spec) identityID() string {
	return s.GroupID() + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" + s.Identity
}

// Names of roles and assignments are GUIDs. Those of setup follow from what they are for,
// so that a second run finds them.
func (s *Spec) roleID() string {
	return s.GroupID() + "/providers/Microsoft.Authorization/roleDefinitions/" + s.guid("role")
}

// roleReference is the role's ID as Azure shows it in assignments: at the subscription,
// wherever the role may be assigned (recording 30).
func (s *Spec) roleReference() string {
	return "/subscriptions/" + s.Subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + s.guid("role")
}

func (s *Spec) assignmentID(principal string) string {
	return s.GroupID() + "/providers/Microsoft.Authorization/roleAssignments/" + s.guid("assignment "+strings.ToLower(principal))
}

func (s *Spec) guid(what string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(strings.ToLower(s.ScaleSetID())+" "+what)).String()
}

// RoleName is unique in a tenant, as Azure demands.
func (s *Spec) RoleName() string {
	return "GitLab Runner autoscaler " + s.Name + " " + s.guid("role")[:8]
}

func (s *Spec) tags() object { return object{ownerTag: s.Name} }

// object is a JSON object.
type object = map[string]any

// list is a JSON array.
type list = []any
