package doctor

import (
	"context"
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// subnet is what the doctor needs of one.
type subnet struct {
	Properties struct {
		Gateway       reference   `json:"natGateway"`
		Routes        reference   `json:"routeTable"`
		SecurityGroup reference   `json:"networkSecurityGroup"`
		Outbound      *bool       `json:"defaultOutboundAccess"`
		Prefix        string      `json:"addressPrefix"`
		Prefixes      []string    `json:"addressPrefixes"`
		Used          []reference `json:"ipConfigurations"`
	} `json:"properties"`
}

// securityGroup is the rules of a network security group that let in.
type securityGroup struct {
	Properties struct {
		Rules []struct {
			Name       string `json:"name"`
			Properties struct {
				Access    string `json:"access"`
				Direction string `json:"direction"`
				Source    string `json:"sourceAddressPrefix"`
				Ports     string `json:"destinationPortRange"`
			} `json:"properties"`
		} `json:"securityRules"`
	} `json:"properties"`
}

// checkNetwork: instances need a way out, for packages, images and GitLab, and none in
// from the internet.
func (c *cloud) checkNetwork(ctx context.Context) ([]Finding, error) {
	var found []Finding
	for _, i := range c.model.Properties.Profile.Network.Interfaces {
		groups := []string{i.Properties.SecurityGroup.ID}
		for _, config := range i.Properties.Configs {
			id := config.Properties.Subnet.ID
			var s subnet
			err := c.azure.Get(ctx, armops.GetSubnet, id, nil, &s)
			if armerr.IsAbsent(err) {
				continue // checkSubnet speaks of that
			}
			if err != nil {
				return found, err
			}
			groups = append(groups, s.Properties.SecurityGroup.ID)
			if !s.leadsOut() && !c.set.Model.HasPublicAddress && len(config.Properties.Pools) == 0 {
				found = append(found, fault(0, fmt.Sprintf("the subnet %s leads nowhere outside: no NAT gateway, route table, load balancer or public address", id), "az network vnet subnet update --ids "+id+" --nat-gateway GATEWAY"))
			}
		}
		open, err := c.openDoors(ctx, groups)
		if err != nil {
			return found, err
		}
		found = append(found, open...)
	}
	return found, nil
}

// leadsOut reports whether a subnet has a way out of its own. A subnet that says nothing
// of it has Azure's default one, which new networks no longer get.
func (s *subnet) leadsOut() bool {
	p := s.Properties
	return p.Gateway.ID != "" || p.Routes.ID != "" || p.Outbound == nil || *p.Outbound
}

// openDoors are the rules of security groups that let the internet in. Without a group
// Azure lets nothing in to a Standard public address.
func (c *cloud) openDoors(ctx context.Context, groups []string) (found []Finding, err error) {
	for _, id := range groups {
		if id == "" {
			continue
		}
		var g securityGroup
		if err := c.azure.Get(ctx, armops.GetSecurityGroup, id, nil, &g); err != nil {
			return found, err
		}
		for _, r := range g.Properties.Rules {
			p := r.Properties
			if strings.EqualFold(p.Access, "Allow") && strings.EqualFold(p.Direction, "Inbound") && (p.Source == "*" || strings.EqualFold(p.Source, "Internet") || p.Source == "0.0.0.0/0") {
				found = append(found, warning(0, fmt.Sprintf("the rule %q lets the internet in at port %s", r.Name, p.Ports), "az network nsg rule delete --ids "+id+"/securityRules/"+r.Name))
			}
		}
	}
	return found, nil
}
