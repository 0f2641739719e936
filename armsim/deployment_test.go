package armsim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// deploymentVersion is the one that Azure CLI 2.45 sends.
const deploymentVersion = "?api-version=2021-04-01"

func (s *sim) deployment(name string) string {
	return s.ResourcePath("/providers/Microsoft.Resources/deployments/" + name)
}

// deploy PUTs a template with parameters.
func (s *sim) deploy(t tb, name string, template, parameters object) reply {
	t.Helper()
	return s.send(t, "PUT", s.deployment(name)+deploymentVersion, deploymentOf(template, parameters))
}

func deploymentOf(template, parameters object) object {
	whole := object{"$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0"}
	for key, value := range template {
		whole[key] = value
	}
	return object{"properties": object{"template": whole, "parameters": parameters, "mode": "incremental"}}
}

// scaleSetTemplate is what Azure CLI sends for "az vmss create", with made-up
// names; see azure-cli's _template_builder.py.
func scaleSetTemplate(t tb, mode string) object {
	t.Helper()
	const text = `{
  "parameters": {"adminPassword": {"type": "securestring", "metadata": {"description": "Secure adminPassword"}}}, "variables": {},
  "resources": [
    {"type": "Microsoft.Compute/virtualMachineScaleSets", "name": "ci", "location": "westeurope", "tags": {}, "apiVersion": "2022-11-01",
     "dependsOn": ["Microsoft.Network/virtualNetworks/ciVNET", "Microsoft.Network/loadBalancers/ciLB", "Microsoft.Network/networkSecurityGroups/ciNSG"],
     "properties": {"overprovision": true, "upgradePolicy": {"mode": "manual", "rollingUpgradePolicy": {}}, "singlePlacementGroup": null, "orchestrationMode": "MODE",
       "virtualMachineProfile": {
         "storageProfile": {"osDisk": {"createOption": "FromImage", "caching": "ReadWrite", "managedDisk": {"storageAccountType": null}},
           "imageReference": {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}},
         "osProfile": {"computerNamePrefix": "ci", "adminUsername": "azureuser", "adminPassword": "[parameters('adminPassword')]"},
         "networkProfile": {"networkApiVersion": "2020-11-01", "networkInterfaceConfigurations": [{"name": "ciNic", "properties": {"primary": "true",
           "networkSecurityGroup": {"id": "[resourceId('Microsoft.Network/networkSecurityGroups', 'ciNSG')]"},
           "ipConfigurations": [{"name": "ciIPConfig", "properties": {
             "subnet": {"id": "GROUP/providers/Microsoft.Network/virtualNetworks/ciVNET/subnets/ciSubnet"},
             "publicipaddressconfiguration": {"name": "instancepublicip", "properties": {"idleTimeoutInMinutes": 10}},
             "loadBalancerBackendAddressPools": [{"id": "GROUP/providers/Microsoft.Network/loadBalancers/ciLB/backendAddressPools/ciLBBEPool"}]}}]}}]}}},
     "sku": {"name": "Standard_DS1_v2", "capacity": 2}},
    {"name": "ciVNET", "type": "Microsoft.Network/virtualNetworks", "location": "westeurope", "apiVersion": "2015-06-15", "dependsOn": [], "tags": {},
     "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "ciSubnet", "properties": {"addressPrefix": "10.0.0.0/24"}}]}},
    {"apiVersion": "2022-01-01", "type": "Microsoft.Network/publicIPAddresses", "name": "ciLBPublicIP", "location": "westeurope", "tags": {}, "dependsOn": [],
     "properties": {"publicIPAllocationMethod": "Static"}, "sku": {"name": "Standard"}},
    {"type": "Microsoft.Network/loadBalancers", "name": "ciLB", "location": "westeurope", "tags": {}, "apiVersion": "2022-01-01",
     "dependsOn": ["Microsoft.Network/virtualNetworks/ciVNET", "Microsoft.Network/publicIpAddresses/ciLBPublicIP"], "sku": {"name": "Standard"},
     "properties": {"backendAddressPools": [{"name": "ciLBBEPool"}],
       "frontendIPConfigurations": [{"name": "loadBalancerFrontEnd", "properties": {"publicIPAddress": {"id": "GROUP/providers/Microsoft.Network/publicIPAddresses/ciLBPublicIP"}}}],
       "loadBalancingRules": [{"name": "LBRule", "properties": {
         "frontendIPConfiguration": {"id": "[concat(resourceId('Microsoft.Network/loadBalancers', 'ciLB'), '/frontendIPConfigurations/', 'loadBalancerFrontEnd')]"},
         "backendAddressPool": {"id": "[concat(resourceId('Microsoft.Network/loadBalancers', 'ciLB'), '/backendAddressPools/', 'ciLBBEPool')]"},
         "protocol": "tcp", "frontendPort": 80, "backendPort": 80, "enableFloatingIP": false, "idleTimeoutInMinutes": 5}}]}},
    {"type": "Microsoft.Network/networkSecurityGroups", "name": "ciNSG", "apiVersion": "2015-06-15", "location": "westeurope", "tags": {}, "dependsOn": [],
     "properties": {"securityRules": [{"name": "default-allow-ssh", "properties": {"protocol": "Tcp", "sourcePortRange": "*", "destinationPortRange": "22",
       "sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "access": "Allow", "priority": 1000, "direction": "Inbound"}}]}},
    {"type": "Microsoft.Network/loadBalancers/inboundNatRules", "apiVersion": "2022-01-01", "name": "ciLB/NatRule", "location": "westeurope",
     "dependsOn": ["[concat('Microsoft.Network/loadBalancers/', 'ciLB')]"],
     "properties": {"frontendIPConfiguration": {"id": "[concat(resourceId('Microsoft.Network/loadBalancers', 'ciLB'), '/frontendIPConfigurations/', 'loadBalancerFrontEnd')]"},
       "backendAddressPool": {"id": "[concat(resourceId('Microsoft.Network/loadBalancers', 'ciLB'), '/backendAddressPools/', 'ciLBBEPool')]"},
       "backendPort": 22, "frontendPortRangeStart": "50000", "frontendPortRangeEnd": "50119", "protocol": "tcp", "idleTimeoutInMinutes": 5}}
  ],
  "outputs": {"VMSS": {"type": "object", "value": "[reference(resourceId('Microsoft.Compute/virtualMachineScaleSets', 'ci'),providers('Microsoft.Compute', 'virtualMachineScaleSets').apiVersions[0])]"}}
}`
	group := "/subscriptions/" + armsim.DefaultSubscriptionID + "/resourceGroups/" + armsim.DefaultResourceGroup
	var template object
	require.NoError(t, json.Unmarshal([]byte(strings.NewReplacer("GROUP", group, "MODE", mode).Replace(text)), &template))
	return template
}

func TestDeploymentOfAScaleSet(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{Polite: true, PageSize: 100, Subscription: armsim.Subscription{CheckReferences: true}})
			template := scaleSetTemplate(t, mode)
			if mode == "Flexible" {
				properties := template["resources"].([]any)[0].(object)["properties"].(object)
				delete(properties, "overprovision")
				delete(properties, "upgradePolicy")
			}
			r := s.deploy(t, "vmss_deploy_1", template, object{"adminPassword": object{"value": "Secret-Word-1"}})
			require.Equal(t, http.StatusCreated, r.status, r.raw)
			assert.Equal(t, "Accepted", r.text("properties.provisioningState"))
			assert.Contains(t, r.header.Get("Azure-AsyncOperation"), "/providers/Microsoft.Resources/deployments/vmss_deploy_1/operationStatuses/08")
			assert.Equal(t, object{"type": "SecureString"}, get(r.body, "properties.parameters.adminPassword"))
			again := s.deploy(t, "vmss_deploy_1", template, object{"adminPassword": object{"value": "Secret-Word-1"}})
			assert.Equal(t, "DeploymentActive", again.code())
			s.Advance(2 * boot / 3)
			assert.Equal(t, object{"status": "Running"}, s.operation(t, r).body)
			s.Advance(settled)
			assert.Equal(t, object{"status": "Succeeded"}, s.operation(t, r).body)

			done := s.get(t, s.deployment("vmss_deploy_1")+deploymentVersion)
			assert.Equal(t, "Succeeded", done.text("properties.provisioningState"), done.raw)
			assert.Equal(t, "Object", done.text("properties.outputs.vmss.type"))
			assert.Equal(t, mode, done.text("properties.outputs.vmss.value.orchestrationMode"))
			assert.Len(t, get(done.body, "properties.outputResources"), 6)
			assert.Equal(t, 2, s.capacity(t, s.ScaleSetPath("ci")))
			journal, err := json.Marshal(s.Journal())
			require.NoError(t, err)
			assert.NotContains(t, string(journal)+done.raw, "Secret-Word-1")
			s.checkBalancer(t)

			operations := s.list(t, s.ResourcePath("/deployments/vmss_deploy_1/operations")+deploymentVersion)
			assert.Len(t, operations, 6)
			one := s.get(t, s.ResourcePath("/deployments/vmss_deploy_1/operations/")+get(operations[0], "operationId").(string)+deploymentVersion)
			assert.Equal(t, "Create", one.text("properties.provisioningOperation"))
			assert.Len(t, s.list(t, s.ResourcePath("/providers/Microsoft.Resources/deployments")+deploymentVersion), 1)
			exported := s.send(t, "POST", s.deployment("vmss_deploy_1")+"/exportTemplate"+deploymentVersion, nil)
			assert.Len(t, get(exported.body, "template.resources"), 6)

			assert.Equal(t, http.StatusOK, s.deploy(t, "vmss_deploy_1", template, object{"adminPassword": object{"value": "Secret-Word-1"}}).status, "again")
			s.Advance(settled)
			assert.Equal(t, "Succeeded", s.get(t, s.deployment("vmss_deploy_1")+deploymentVersion).text("properties.provisioningState"))
			s.send(t, "DELETE", s.ResourcePath("")+deploymentVersion, nil)
			s.Advance(10 * settled)
			assert.Equal(t, "ResourceGroupNotFound", s.get(t, s.ResourcePath("")+deploymentVersion).code())
		})
	}
}

const (
	securityGroup = "Microsoft.Network/networkSecurityGroups"
	publicAddress = "Microsoft.Network/publicIPAddresses"
)

// resourceOf is a resource of a template in the simulator's location.
func resourceOf(kind, name string, more object) object {
	r := object{"type": kind, "name": name, "apiVersion": "2022-01-01", "location": "westeurope"}
	for key, value := range more {
		r[key] = value
	}
	return r
}

func TestDeploymentThatFails(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, Throttle: true})
	template := object{"resources": []any{
		resourceOf(securityGroup, "good", nil),
		resourceOf("Microsoft.Network/virtualNetworks", "bad", object{"properties": object{
			"addressSpace": object{"addressPrefixes": []any{"10.0.0.0/24"}}, "subnets": []any{object{"name": "a", "properties": object{"addressPrefix": "10.1.0.0/24"}}}}}),
		resourceOf(publicAddress, "after", object{"dependsOn": []any{"bad"}}),
		resourceOf(publicAddress, "unknown", object{"tags": object{"a": "[reference('" + s.network("publicIPAddresses/none") + "', '2022-01-01').ipAddress]"}}),
	}}
	r := s.deploy(t, "d", template, object{})
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	s.Advance(settled)
	status := s.operation(t, r)
	assert.Equal(t, "Failed", status.text("status"))
	assert.Equal(t, "DeploymentFailed", status.code())
	assert.Equal(t, s.deployment("d"), status.text("error.target"))
	assert.Equal(t, "NetcfgSubnetRangeOutsideVnet", status.text("error.details.0.code"), status.raw)
	assert.Equal(t, "InvalidTemplate", status.text("error.details.1.code"))
	assert.Contains(t, status.text("error.details.1.message"), "publicIPAddresses/none' under resource group")
	done := s.get(t, s.deployment("d")+deploymentVersion)
	assert.Equal(t, "Failed", done.text("properties.provisioningState"))
	assert.Equal(t, status.body["error"], get(done.body, "properties.error"))
	assert.Len(t, get(done.body, "properties.outputResources"), 1, "what does not depend on it is there")
	assert.Equal(t, "ResourceNotFound", s.get(t, s.network("publicIPAddresses/after")).code())
	var states []any
	for _, one := range s.list(t, s.ResourcePath("/deployments/d/operations")+deploymentVersion) {
		states = append(states, get(one, "properties.provisioningState"), get(one, "properties.statusCode"))
	}
	assert.Equal(t, []any{"Succeeded", "OK", "Failed", "BadRequest", "Failed", "BadRequest"}, states)
}

// TestDeploymentWhoseResourceFails later, in its operation.
func TestDeploymentWhoseResourceFails(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, Stock: []armsim.Stock{{Count: 0}}})
	template := scaleSetTemplate(t, "Uniform")
	r := s.deploy(t, "d", template, object{"adminPassword": object{"value": "x"}})
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	s.Advance(10 * settled)
	status := s.operation(t, r)
	assert.Equal(t, "ResourceDeploymentFailure", status.text("error.details.0.code"), status.raw)
	assert.Equal(t, s.ScaleSetPath("ci"), status.text("error.details.0.target"))
	assert.Contains(t, status.text("error.details.0.details.0.code"), "Allocation", status.raw)
}

func TestDeploymentsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	one := object{"resources": []any{resourceOf(securityGroup, "a", nil)}}
	for name, c := range map[string]struct {
		body    object
		code    string
		message string
	}{
		"unknown function": {deploymentOf(object{"resources": []any{resourceOf(securityGroup, "[pickZones('a')]", nil)}}, object{}), "InvalidTemplate", "'pickZones'"},
		"wrong index":      {deploymentOf(object{"resources": []any{resourceOf(securityGroup, "a", object{"tags": object{"a": "[createArray(1)[3]]"}})}}, object{}), "InvalidTemplate", "out of bounds"},
		"no value":         {deploymentOf(object{"resources": []any{}, "parameters": object{"a": object{"type": "string"}}}, object{}), "InvalidTemplate", "'a' is not provided"},
		"no template":      {object{"properties": object{"mode": "Incremental"}}, "InvalidDeploymentTemplate", "must have a template"},
		"no mode":          {object{"properties": object{"template": deploymentOf(one, nil)["properties"].(object)["template"]}}, "InvalidRequestContent", "Incremental or Complete"},
		"complete":         {object{"properties": object{"mode": "Complete", "template": object{}}}, "NotImplemented", "mode Complete"},
		"template link":    {object{"properties": object{"mode": "Incremental", "templateLink": object{}}}, "NotImplemented", "'templateLink'"},
		"unknown type":     {deploymentOf(object{"resources": []any{resourceOf("Microsoft.Storage/storageAccounts", "a", nil)}}, object{}), "NotImplemented", "Microsoft.Storage/storageAccounts"},
		"version":          {deploymentOf(object{"resources": []any{resourceOf(securityGroup, "a", object{"apiVersion": "1999-01-01"})}}, object{}), "NoRegisteredProviderFound", "1999-01-01"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range []reply{s.send(t, "PUT", s.deployment("d")+deploymentVersion, c.body), s.send(t, "POST", s.deployment("d")+"/validate"+deploymentVersion, c.body)} {
				assert.Equal(t, c.code, r.code(), r.raw)
				assert.Contains(t, r.message(), c.message)
			}
		})
	}
	assert.Equal(t, "DeploymentNotFound", s.get(t, s.deployment("d")+deploymentVersion).code(), "none was begun")
	assert.Equal(t, http.StatusNotImplemented, s.send(t, "POST", s.deployment("d")+"/whatIf"+deploymentVersion, deploymentOf(one, nil)).status)
	valid := s.send(t, "POST", s.deployment("d")+"/validate"+deploymentVersion, deploymentOf(one, nil))
	assert.Equal(t, "Succeeded", valid.text("properties.provisioningState"), valid.raw)
	assert.Len(t, get(valid.body, "properties.validatedResources"), 1)
	assert.Equal(t, "ResourceNotFound", s.get(t, s.network("networkSecurityGroups/a")).code(), "nothing was deployed")
}

func TestDeploymentWithoutRights(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, Principals: []armsim.Principal{{
		ClientID: "client", Secret: "secret", Actions: []string{"Microsoft.Resources/*", "Microsoft.Network/networkSecurityGroups/*"}}}})
	r := s.deploy(t, "d", object{"resources": []any{resourceOf(securityGroup, "a", nil), resourceOf(publicAddress, "b", nil)}}, object{})
	assert.Equal(t, http.StatusBadRequest, r.status)
	assert.Equal(t, "InvalidTemplateDeployment", r.code())
	assert.Contains(t, r.message(), "Authorization failed for template resource 'b' of type 'Microsoft.Network/publicIPAddresses'")
	assert.Contains(t, r.message(), "'Microsoft.Network/publicIPAddresses/write'")
}

// TestNestedDeployment: one within another, and its outputs.
func TestNestedDeployment(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	nested := func(prefix string) object {
		return object{"expressionEvaluationOptions": object{"scope": "inner"}, "mode": "Incremental", "parameters": object{"name": object{"value": "[parameters('name')]"}, "secret": object{"value": "Secret-Word-2"}},
			"template": object{"$schema": "x", "contentVersion": "1.0.0.0", "parameters": object{"name": object{"type": "string"}, "secret": object{"type": "securestring"}},
				"resources": []any{resourceOf("Microsoft.Network/virtualNetworks", "[parameters('name')]", object{"properties": object{
					"addressSpace": object{"addressPrefixes": []any{prefix}}, "subnets": []any{object{"name": "a", "properties": object{"addressPrefix": "10.0.0.0/24"}}}}})},
				"outputs": object{"VnetID": object{"type": "string", "value": "[resourceId('Microsoft.Network/virtualNetworks', parameters('name'))]"}}}}
	}
	template := func(prefix string) object {
		return object{"parameters": object{"name": object{"type": "string"}}, "resources": []any{
			resourceOf(securityGroup, "nsg", object{"tags": object{"vnet": "[reference('inner').outputs.vnetID.value]"}}),
			resourceOf("Microsoft.Resources/deployments", "inner", object{"properties": nested(prefix)}),
		}}
	}
	r := s.deploy(t, "outer", template("10.0.0.0/16"), object{"name": object{"value": "net"}})
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	s.Advance(settled)
	require.Equal(t, "Succeeded", s.status(t, r), s.operation(t, r).raw)
	assert.Equal(t, s.network("virtualNetworks/net"), s.get(t, s.network("networkSecurityGroups/nsg")).text("tags.vnet"))
	journal, err := json.Marshal(s.Journal())
	require.NoError(t, err)
	assert.NotContains(t, string(journal), "Secret-Word-2")

	r = s.deploy(t, "outer", template("10.9.0.0/16"), object{"name": object{"value": "other"}})
	s.Advance(settled)
	failed := s.operation(t, r)
	assert.Equal(t, "ResourceDeploymentFailure", failed.text("error.details.0.code"), failed.raw)
	assert.Equal(t, "NetcfgSubnetRangeOutsideVnet", failed.text("error.details.0.details.0.details.0.code"))
}

// TestDeploymentAsAzureCLISendsIt, with what is no JSON.
func TestDeploymentAsAzureCLISendsIt(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	r := s.send(t, "PUT", s.deployment("d")+deploymentVersion, `{"properties": {"parameters": {}, "mode": "Incremental", template:{ // mine
		"$schema": "x", "contentVersion": "1.0.0.0", "resources": []}}}`)
	assert.Equal(t, http.StatusCreated, r.status, r.raw)
	assert.Equal(t, "InvalidRequestContent", s.send(t, "PUT", s.network("networkSecurityGroups/a"), `{location: "westeurope"}`).code(), "nowhere else")
}

func TestDeploymentUnderAFault(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Faults: []armsim.Fault{{Operation: "Deployments_CreateOrUpdate", Effect: armsim.Effect{
		FailOperation: &armsim.Failure{Code: "Boom", Message: "Injected."}}}}})
	r := s.deploy(t, "d", object{"resources": []any{resourceOf(securityGroup, "a", nil)}}, object{})
	s.Advance(settled)
	assert.Equal(t, "Boom", s.operation(t, r).code())
}
