package doctor_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/setup"
)

// TestNothingToSay: what looks like a fault, and is none.
func TestNothingToSay(t *testing.T) {
	storage := body{"allOf": []any{body{"field": "type", "equals": "Microsoft.Storage/storageAccounts"}, noTag}}
	for name, c := range map[string]struct {
		config armsim.Config
		spec   func(*setup.Spec)
		step   step
	}{
		"a policy on sizes of VMs, which a Uniform set has none of": {step: assigned(azures(sizes), body{"listOfAllowedSKUs": value([]any{"Standard_D4s_v5"})}, nil)},
		"a policy on regions, in another case":                      {step: assigned(azures(locations), body{"LISTOFALLOWEDLOCATIONS": value([]any{"WestEurope"})}, nil)},
		"a policy on storage":                                       {step: steps(defined(storage), assigned(ownPolicy, nil, nil))},
		"a policy that audits":                                      {step: steps(defined(noTag), assigned(ownPolicy, body{"effect": value("Audit")}, nil))},
		"a policy at the network": {step: steps(defined(noTag), func(p *place) error {
			return p.do("PUT", p.network("virtualNetworks/ci-vnet")+"/providers/Microsoft.Authorization/policyAssignments/theirs", "2023-04-01", body{"properties": body{"policyDefinitionId": ownPolicy(p)}})
		})},
		"a policy on the scale set of another group": {step: func(p *place) error {
			return steps(hub, defined(noTag), func(p *place) error {
				return p.do("PUT", strings.TrimSuffix(p.hub(""), "/providers/")+"/providers/Microsoft.Authorization/policyAssignments/theirs", "2023-04-01", body{"properties": body{"policyDefinitionId": ownPolicy(p)}})
			})(p)
		}},
		"a standby pool of another scale set": {spec: onFlexible, step: func(p *place) error {
			var other body
			if err := p.admin.Get(p.Context(), "VirtualMachineScaleSets_Get", p.setup.Spec.ScaleSetID(), nil, &other); err != nil {
				return err
			}
			if err := p.admin.Write(p.Context(), "VirtualMachineScaleSets_CreateOrUpdate", p.setup.Spec.ScaleSetID()+"2", other, nil); err != nil {
				return err
			}
			return p.do("PUT", p.group()+"/providers/Microsoft.StandbyPool/standbyVirtualMachinePools/warm", "2024-03-01", body{"location": "westeurope", "properties": body{
				"attachedVirtualMachineScaleSetId": p.setup.Spec.ScaleSetID() + "2", "virtualMachineState": "Running", "elasticityProfile": body{"maxReadyCapacity": 3},
			}})
		}},
		"no provider of standby pools": {config: armsim.Config{Subscription: armsim.Subscription{NotRegistered: []string{"Microsoft.StandbyPool"}}}, step: steps()},
		"autoscale of another scale set": {step: func(p *place) error {
			return p.do("PUT", p.group()+"/providers/Microsoft.Insights/autoscaleSettings/cpu", "2022-10-01", body{
				"location": "westeurope", "properties": body{"enabled": true, "targetResourceUri": p.setup.Spec.ScaleSetID() + "2"},
			})
		}},
		"another group's subnet, with all rights": {step: steps(hub, interfaces(func(p *place) string { return p.hub("Microsoft.Network/virtualNetworks/hub/subnets/runners") }, nil))},
		"a subnet that the scale set itself uses": {step: steps(subnetted(body{"addressPrefix": "10.40.0.0/28"}), raised(6))},
		"a community image":                       {step: steps(shared("1.0.0"), community("/communityGalleries/public/images/runner"))},
		"a gallery image":                         {step: steps(gallery("x64"), version("1.0.0", "West Europe"), owned(definition+"/versions/latest"))},
		"a managed image":                         {step: steps(managedImage, owned("images/golden"))},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, c.config, c.spec, func(p *place) {
				require.NoError(p, c.step(p))
				assert.Empty(p, p.examine())
			})
		})
	}
}

// TestImageOfAnotherGroup: who may not read the gallery cannot be told whether the image is
// there, and is told of the right.
func TestImageOfAnotherGroup(t *testing.T) {
	c := weak(armsim.Role{Name: "Contributor", Scope: "/resourceGroups/runners"})
	in(t, c, nil, func(p *place) {
		id := p.hub("Microsoft.Compute/galleries/own/images/runner")
		broken := steps(hub, profiles(body{"storageProfile": body{"imageReference": body{"publisher": nil, "offer": nil, "sku": nil, "version": nil, "id": id}}}), asWeak)
		require.NoError(p, broken(p))
		wrong := found(p.examine(), doctor.Fault, doctor.Warning)
		require.Len(p, wrong, 1)
		assert.Equal(p, "linked", wrong[0].Check)
		assert.Contains(p, wrong[0].Text, "lacks the permission Microsoft.Compute/galleries/images/read on "+id)
		assert.Contains(p, wrong[0].Fix, `--role "Reader" --scope `+id)
	})
}
