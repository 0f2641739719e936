package setup

import "gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"

// networkSteps make a network whose instances reach the outside and are reached from
// within alone: a NAT gateway, as Azure gives new networks no way out by itself
// (defaultOutboundAccess), and a security group without a rule that lets the internet in.
func (s *Spec) networkSteps() []step {
	if s.SubnetID != "" {
		return nil
	}
	return []step{
		{id: s.securityGroupID(), get: armops.GetSecurityGroup, put: armops.PutSecurityGroup, want: object{
			"location": s.Location, "tags": s.tags(), "properties": object{},
		}},
		{id: s.addressID(), get: armops.GetPublicAddress, put: armops.PutPublicAddress, want: object{
			"location": s.Location, "tags": s.tags(), "sku": object{"name": "Standard"},
			"properties": object{"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
		}},
		{id: s.gatewayID(), get: armops.GetGateway, put: armops.PutGateway, want: object{
			"location": s.Location, "tags": s.tags(), "sku": object{"name": "Standard"},
			"properties": object{"publicIpAddresses": list{object{"id": s.addressID()}}, "idleTimeoutInMinutes": 4},
		}},
		{id: s.vnetID(), get: armops.GetNetwork, put: armops.PutNetwork, want: s.network()},
	}
}

// network holds its subnet: a PUT of the network without it would drop it.
func (s *Spec) network() object {
	return object{
		"location": s.Location, "tags": s.tags(),
		"properties": object{
			"addressSpace": object{"addressPrefixes": list{s.Cidr}},
			"subnets": list{object{"name": s.Name, "properties": object{
				"addressPrefix":         s.Cidr,
				"networkSecurityGroup":  object{"id": s.securityGroupID()},
				"natGateway":            object{"id": s.gatewayID()},
				"defaultOutboundAccess": false,
			}}},
		},
	}
}
