package armsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// Deployments of recordings, whose templates are cut to one resource, without its name; and
// whose names are all the same, as azure-cli's recorder writes them.

const (
	templateOne    = "properties.template.resources[]."
	kindOfSets     = "Microsoft.Compute/virtualMachineScaleSets"
	kindOfMachines = "Microsoft.Compute/virtualMachines"
)

func aboutDeployment(path string) bool { return kindIn(path) == "deployments" }

// deployedKind is the type of what the template of a request makes; empty: it is no such
// request.
func deployedKind(x recordings.Exchange) string {
	for path := range x.Request {
		rest, _ := strings.CutPrefix(path, templateOne+"properties.")
		switch {
		case strings.HasPrefix(rest, "virtualMachineProfile."):
			return kindOfSets
		case strings.HasPrefix(rest, "hardwareProfile."):
			return kindOfMachines
		}
	}
	return ""
}

// ownPath is the scale set or the virtual machine that a path is about or lies below.
func ownPath(path string) string {
	if set := setIn(path); set != "" {
		return set
	}
	if aboutMachine(path) {
		return path
	}
	return ""
}

// deployedBy are the paths of what the deployments of a recording make, by the operation
// that each starts: the first of its type and group that is met after it.
func deployedBy(r recordings.Summary) map[string]string {
	made := map[string]string{}
	seen := map[string]bool{}
	for i, x := range r.Exchanges {
		seen[ownPath(x.Path)] = true
		kind := deployedKind(x)
		if kind == "" {
			continue
		}
		made[x.Starts] = groupIn(x.Path) + "/providers/" + kind + "/" + replayName // no exchange has it
		for _, later := range r.Exchanges[i:] {
			path := ownPath(later.Path)
			if strings.EqualFold(groupIn(path), groupIn(x.Path)) && strings.Contains(path, "/"+kind+"/") && !seen[path] {
				made[x.Starts] = path
				break
			}
		}
	}
	return made
}

func isDeployed(r recordings.Summary, path string) bool {
	for _, made := range deployedBy(r) {
		if made == path {
			return true
		}
	}
	return false
}

// deploymentBody has what the recording cut off the template's resource: its name and type,
// the rest of the template, and an output where a later exchange shows it.
func (p *replayer) deploymentBody(x recordings.Exchange) object {
	switch {
	case x.Request == nil:
		return deploymentOf(p.droppedResource(x))
	case x.Request[templateOne+"copy.name"] != "":
		return p.portalsDeployment()
	}
	shape, values := recordings.Shape{}, recordings.Values{}
	for path, kind := range x.Request {
		if rest, ok := strings.CutPrefix(path, templateOne); ok && !strings.HasPrefix(rest, "dependsOn") {
			shape[rest] = kind
		}
	}
	for path, value := range x.RequestValues {
		values[strings.TrimPrefix(path, templateOne)] = value
	}
	resource := p.model.build(shape, values)
	kind, name := deployedKind(x), p.fill(nameIn(p.deployed[x.Starts]))
	asResource(resource, kind, name)
	if kind != kindOfSets {
		return deploymentOf(resource)
	}
	resource["sku"].(object)["capacity"] = p.capacity
	body := deploymentOf(resource)
	if slices.ContainsFunc(p.r.Exchanges, func(x recordings.Exchange) bool { return x.Response["properties.outputs.vmss.type"] != "" }) {
		body["properties"].(object)["template"].(object)["outputs"] = object{"VMSS": object{"type": "object",
			"value": "[reference(resourceId('" + kind + "', '" + name + "'), providers('Microsoft.Compute', 'virtualMachineScaleSets').apiVersions[0])]"}}
	}
	return body
}

func nameIn(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// asResource makes the resource of a template out of a request's body.
func asResource(body object, kind, name string) object {
	body["type"], body["name"], body["apiVersion"], body["location"] = kind, name, "2024-07-01", DefaultLocation
	return body
}

func deploymentOf(resources ...any) object {
	return object{"properties": object{"mode": "incremental", "template": object{
		"$schema": "https://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0", "resources": resources}}}
}

// droppedResource is the least that has the recorded outcome.
func (p *replayer) droppedResource(x recordings.Exchange) object {
	machine := machineBody()
	switch {
	case isCode(x, "ResourceGroupNotFound"): // of a template within: that of the path is there
		within := asResource(deploymentOf(), "Microsoft.Resources/deployments", replayName+"-within")
		within["resourceGroup"] = replayName + "-none"
		delete(within, "location")
		return within
	case findsNoQuota(x):
		set := p.newSet(groupIn(x.Path) + "/providers/" + kindOfSets + "/{scaleSet}")
		return asResource(set, kindOfSets, replayName)
	case isCode(x, "MarketplacePurchaseEligibilityFailed"):
		sold := replayImages[true]
		machine["plan"] = object{"publisher": sold["publisher"], "product": sold["offer"], "name": sold["plan"]}
	default:
		plant(machine, "properties.storageProfile", object{})
		machine["properties"].(object)["storageProfile"] = object{"imageReference": object{"publisher": replayName, "offer": replayName, "sku": replayName, "version": "latest"}}
	}
	return asResource(machine, kindOfMachines, replayName)
}

func findsNoQuota(x recordings.Exchange) bool {
	return x.Status == http.StatusConflict && isCode(x, "OperationNotAllowed") || x.ResponseValues["error.details[].code"] == "QuotaExceeded"
}

// makeFailedDeployment makes a deployment that found no room for its machines.
func (p *replayer) makeFailedDeployment(group string) {
	set := p.newSet(group + "/providers/" + kindOfSets + "/{scaleSet}")
	require.NoError(p.t, p.s.SetStock(Stock{Count: 0}))
	p.put(p.fill(group)+"/providers/Microsoft.Resources/deployments/"+replayName+"-before", "2021-04-01", deploymentOf(asResource(set, kindOfSets, replayName+"-before")))
	require.NoError(p.t, p.s.SetStock(Stock{Count: -1}))
}

// portalsTemplate is of the same kind as the portal's that was recorded, whose parameters
// and variables are cut.
const portalsTemplate = `{
  "$schema": "http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json", "contentVersion": "1.0.0.0",
  "parameters": {"location": {"type": "string"}, "virtualNetworkName": {"type": "string"}, "addressPrefixes": {"type": "array"}, "subnets": {"type": "array"},
    "virtualMachineScaleSetName": {"type": "string"}, "instanceSize": {"type": "string"}, "instanceCount": {"type": "string"}, "singlePlacementGroup": {"type": "bool"},
    "osDiskType": {"type": "string"}, "adminUsername": {"type": "string"}, "platformFaultDomainCount": {"type": "int"}},
  "variables": {"location": "[parameters('location')]", "namingInfix": "[toLower(substring(concat(parameters('virtualMachineScaleSetName'), uniqueString(resourceGroup().id)), 0, 9))]",
    "virtualMachineScaleSetApiVersion": "2023-03-01", "networkApiVersion": "2020-11-01",
    "subnetId": "[concat(resourceId('Microsoft.Network/virtualNetworks', parameters('virtualNetworkName')), '/subnets/', parameters('subnets')[0].name)]",
    "nsgId": "[resourceId('Microsoft.Network/networkSecurityGroups', 'replay-nsg')]"},
  "resources": [
    {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2021-01-01", "name": "[parameters('virtualNetworkName')]", "location": "[variables('location')]",
     "properties": {"addressSpace": {"addressPrefixes": "[parameters('addressPrefixes')]"}, "subnets": "[parameters('subnets')]"}},
    {"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2019-02-01", "name": "replay-nsg", "location": "[variables('location')]",
     "properties": {"securityRules": []}, "copy": {"name": "networkSecurityGroups", "count": 1}},
    {"type": "Microsoft.Compute/virtualMachineScaleSets", "apiVersion": "[variables('virtualMachineScaleSetApiVersion')]", "name": "[parameters('virtualMachineScaleSetName')]",
     "location": "[variables('location')]", "dependsOn": ["[concat('Microsoft.Network/virtualNetworks/', parameters('virtualNetworkName'))]", "networkSecurityGroups"],
     "sku": {"name": "[parameters('instanceSize')]", "capacity": "[int(parameters('instanceCount'))]"},
     "properties": {"singlePlacementGroup": "[parameters('singlePlacementGroup')]", "orchestrationMode": "Flexible", "platformFaultDomainCount": "[parameters('platformFaultDomainCount')]",
       "virtualMachineProfile": {
         "storageProfile": {"osDisk": {"createOption": "fromImage", "caching": "ReadWrite", "managedDisk": {"storageAccountType": "[parameters('osDiskType')]"}},
           "imageReference": {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}},
         "networkProfile": {"networkApiVersion": "[variables('networkApiVersion')]", "copy": [{"name": "networkInterfaceConfigurations", "count": 1, "input": {
           "name": "replay-nic", "properties": {"primary": true, "enableAcceleratedNetworking": false,
             "networkSecurityGroup": "[if(equals(variables('nsgId'), ''), json('null'), json(concat('{\"id\": \"', variables('nsgId'), '\"}')))]",
             "ipConfigurations": [{"name": "replay-config", "properties": {"subnet": {"id": "[variables('subnetId')]"}, "primary": true,
               "applicationGatewayBackendAddressPools": [], "loadBalancerBackendAddressPools": [],
               "publicIPAddressConfiguration": {"name": "replay-address", "properties": {"idleTimeoutInMinutes": 15}}}}]}}}]},
         "osProfile": {"computerNamePrefix": "[variables('namingInfix')]", "adminUsername": "[parameters('adminUsername')]", "customData": "cmVwbGF5"}}}}
  ]
}`

// portalsDeployment deploys the scale set of the recording's standby pools.
func (p *replayer) portalsDeployment() object {
	values := object{
		"location": DefaultLocation, "virtualNetworkName": replayName, "addressPrefixes": []any{"10.0.0.0/16"},
		"subnets":                    []any{object{"name": replayName, "properties": object{"addressPrefix": "10.0.0.0/24"}}},
		"virtualMachineScaleSetName": replayName, "instanceSize": replayTexts["sku.name"], "instanceCount": fmt.Sprint(p.capacity), "singlePlacementGroup": false,
		"osDiskType": "Premium_LRS", "adminUsername": "azureuser", "platformFaultDomainCount": 1,
	}
	parameters := object{}
	for name, value := range values {
		parameters[name] = object{"value": value}
	}
	var template object
	require.NoError(p.t, json.Unmarshal([]byte(portalsTemplate), &template))
	return object{"properties": object{"mode": "Incremental", "template": template, "parameters": parameters}}
}
