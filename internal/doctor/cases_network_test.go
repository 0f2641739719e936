package doctor_test

import (
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
)

const networkVersion = "2024-01-01"

// subnetted writes the subnet as setup does, with a change; nil takes a part away.
func subnetted(change body) step {
	return func(p *place) error {
		properties := body{
			"addressPrefix": "10.40.0.0/16", "defaultOutboundAccess": false,
			"natGateway": body{"id": p.network("natGateways/ci-nat")}, "networkSecurityGroup": body{"id": p.network("networkSecurityGroups/ci-nsg")},
		}
		for key, value := range change {
			if properties[key] = value; value == nil {
				delete(properties, key)
			}
		}
		return p.admin.Write(p.Context(), "Subnets_CreateOrUpdate", p.subnet(), body{"properties": properties}, nil)
	}
}

// inSubnet makes another scale set in the subnet.
func inSubnet(capacity int) step {
	return func(p *place) error {
		defer time.Sleep(time.Hour) // of virtual time
		var set body
		id := p.setup.Spec.ScaleSetID()
		if err := p.admin.Get(p.Context(), "VirtualMachineScaleSets_Get", id, nil, &set); err != nil {
			return err
		}
		within(set, "sku")["capacity"] = capacity
		return p.admin.Write(p.Context(), "VirtualMachineScaleSets_CreateOrUpdate", id+"-other", set, nil)
	}
}

// raised has the scale set's own instances.
func raised(capacity int) step {
	return func(p *place) error {
		defer time.Sleep(time.Hour)
		return p.patch(body{"sku": body{"capacity": capacity}})
	}
}

// door writes the security group with one rule that lets in from somewhere; empty: none.
func door(source string) step {
	return func(p *place) error {
		rules := []any{}
		if source != "" {
			rules = append(rules, body{"name": "ssh", "properties": body{
				"access": "Allow", "direction": "Inbound", "priority": 100, "protocol": "Tcp", "sourceAddressPrefix": source, "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22",
			}})
		}
		return p.admin.Write(p.Context(), "NetworkSecurityGroups_CreateOrUpdate", p.network("networkSecurityGroups/ci-nsg"), body{"location": "westeurope", "properties": body{"securityRules": rules}}, nil)
	}
}

// hub makes a network, a security group and an identity in another group.
func hub(p *place) error {
	group := "/subscriptions/" + p.setup.Spec.Subscription + "/resourceGroups/hub"
	here := body{"location": "westeurope"}
	for _, one := range []struct {
		path, version string
		content       body
	}{
		{"", "2022-09-01", here}, {"/providers/Microsoft.Network/networkSecurityGroups/hub", networkVersion, here},
		{"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/hub", "2023-01-31", here},
		{"/providers/Microsoft.Network/virtualNetworks/hub", networkVersion, body{"location": "westeurope", "properties": body{
			"addressSpace": body{"addressPrefixes": []any{"10.50.0.0/16"}}, "subnets": []any{body{"name": "runners", "properties": body{"addressPrefix": "10.50.0.0/24"}}},
		}}},
	} {
		if err := p.do("PUT", group+one.path, one.version, one.content); err != nil {
			return err
		}
	}
	return nil
}

func (p *place) hub(rest string) string {
	return "/subscriptions/" + p.setup.Spec.Subscription + "/resourceGroups/hub/providers/" + rest
}

// interfaces has the instances in a subnet, behind a security group; empty: none of their own.
func interfaces(subnet, securityGroup func(*place) string) step {
	return func(p *place) error {
		properties := body{"primary": true, "ipConfigurations": []any{body{"name": "ci", "properties": body{"primary": true, "subnet": body{"id": subnet(p)}}}}}
		if securityGroup != nil {
			properties["networkSecurityGroup"] = body{"id": securityGroup(p)}
		}
		return p.profile(body{"networkProfile": body{"networkInterfaceConfigurations": []any{body{"name": "ci", "properties": properties}}}})
	}
}

// granted gives the weak principal one of Azure's roles, by its GUID, on something of the hub.
func granted(role, rest string) step {
	return func(p *place) error {
		roles := "/subscriptions/" + p.setup.Spec.Subscription + "/providers/Microsoft.Authorization/roleDefinitions/"
		return p.do("PUT", p.hub(rest)+"/providers/Microsoft.Authorization/roleAssignments/11111111-0000-4000-8000-000000000001", "2022-04-01", body{"properties": body{
			"roleDefinitionId": roles + role, "principalId": weakClient, "principalType": "ServicePrincipal",
		}})
	}
}

// networkCases are about subnets, security groups, and rights on what is elsewhere.
func networkCases() map[string]cloudCase {
	const (
		subnet, securityGroup, identity     = "Microsoft.Network/virtualNetworks/hub/subnets/runners", "Microsoft.Network/networkSecurityGroups/hub", "Microsoft.ManagedIdentity/userAssignedIdentities/hub"
		networkContributor, identityManager = "4d97b98b-1d4f-4787-a291-c67834d212e7", "f1a07417-d97a-45cb-824c-7a7467783830"
	)
	of := func(rest string) func(*place) string { return func(p *place) string { return p.hub(rest) } }
	contributor := weak(armsim.Role{Name: "Contributor", Scope: "/resourceGroups/runners"}, armsim.Role{Name: "Reader"})
	linked := func(use, grant step, text, fix string) cloudCase {
		return cloudCase{config: contributor, broken: steps(hub, use, asWeak), fixed: grant, check: "linked", level: doctor.Warning, text: text, fix: fix}
	}
	return map[string]cloudCase{
		"no way out": {
			broken: subnetted(body{"natGateway": nil}), fixed: subnetted(nil),
			check: "network", level: doctor.Fault, text: "leads nowhere outside", fix: "az network vnet subnet update",
		},
		"an open door": {
			broken: door("*"), fixed: door(""),
			check: "network", level: doctor.Warning, text: `the rule "ssh" lets the internet in at port 22`, fix: "az network nsg rule delete",
		},
		"a door to the internet": {
			broken: door("Internet"), fixed: door("VirtualNetwork"),
			check: "network", level: doctor.Warning, text: `the rule "ssh" lets the internet in`, fix: "az network nsg rule delete",
		},
		"a small subnet": {
			broken: subnetted(body{"addressPrefix": "10.40.0.0/29"}), fixed: edits("max_instances = 10", "max_instances = 3"),
			check: "subnet", level: doctor.Warning, text: "leaves room for 3: it has 3 addresses without the 5 that Azure keeps", fix: "max_instances = 3",
		},
		"a small subnet that grows": {
			broken: subnetted(body{"addressPrefix": nil, "addressPrefixes": []any{"10.40.0.0/29"}}), fixed: subnetted(body{"addressPrefix": "10.40.0.0/28"}),
			check: "subnet", level: doctor.Warning, text: "and 0 are used", fix: "az network vnet subnet update --ids ",
		},
		"a subnet that others use": {
			broken: steps(subnetted(body{"addressPrefix": "10.40.0.0/28"}), inSubnet(4)), fixed: edits("max_instances = 10", "max_instances = 7"),
			check: "subnet", level: doctor.Warning, text: "leaves room for 7: it has 11 addresses without the 5 that Azure keeps, and 4 are used", fix: "max_instances = 7",
		},
		"no subnet": {
			broken: func(p *place) error {
				defer time.Sleep(time.Minute)
				return p.do("DELETE", p.subnet(), networkVersion, nil)
			}, fixed: subnetted(nil),
			check: "subnet", level: doctor.Fault, text: "ci-vnet/subnets/ci does not exist", fix: "setup --subnet ID",
		},
		"a subnet that may not be joined": linked(interfaces(of(subnet), nil), granted(networkContributor, subnet),
			"lacks the permission Microsoft.Network/virtualNetworks/subnets/join/action on", "az role assignment create --assignee "+weakClient+` --role "Network Contributor" --scope `),
		"a security group that may not be joined": linked(interfaces((*place).subnet, of(securityGroup)), granted(networkContributor, securityGroup),
			"Microsoft.Network/networkSecurityGroups/join/action", `--role "Network Contributor"`),
		"an identity that may not be assigned": linked(func(p *place) error {
			return p.patch(body{"identity": body{"type": "UserAssigned", "userAssignedIdentities": body{p.hub(identity): body{}}}})
		}, granted(identityManager, identity), "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", `--role "Managed Identity Operator"`),
	}
}
