package armsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

const (
	replayName      = "replay"
	missingInstance = "987654"
)

// body makes the request's body out of the recorded paths; where the recorder
// dropped it, the least that has the recorded outcome.
func (p *replayer) body(x recordings.Exchange) any {
	if operationIn(x.Path) != "" || x.Method == http.MethodGet || x.Method == http.MethodDelete || x.Method == http.MethodHead {
		return nil
	}
	if aboutDeployment(x.Path) {
		return p.deploymentBody(x)
	}
	if dropped := droppedBody(x); dropped != nil {
		return dropped
	}
	if set := setIn(x.Path); set == x.Path {
		return p.setBody(x, p.exists[set])
	}
	if strings.HasSuffix(x.Path, "/delete") || strings.HasSuffix(x.Path, "/manualupgrade") || x.Request["instanceIds[]"] != "" {
		if all := x.RequestValues["instanceIds[]"]; all != "" {
			return object{"instanceIds": []any{all}}
		}
		return object{"instanceIds": []any{p.unusedInstance(x)}}
	}
	if x.Request == nil && x.Method == http.MethodPost {
		return nil
	}
	if x.Request == nil && kindIn(x.Path) == "roleassignments" {
		return assignmentBody(replayPrincipal)
	}
	return p.model.build(x.Request, x.RequestValues)
}

func (p *replayer) setBody(x recordings.Exchange, exists bool) object {
	if !exists && x.Request == nil {
		return p.newSet(x.Path)
	}
	body := object{"sku": object{}}
	if x.Request != nil {
		body = p.model.build(x.Request, x.RequestValues)
	}
	if exists {
		p.capacity++
	}
	if x.Request == nil || x.Request["sku.capacity"] != "" {
		jsonmap.Ensure(body, "sku")["capacity"] = p.capacity
	}
	return body
}

// newSet is the model of a scale set that stood before the recording.
func (p *replayer) newSet(set string) object {
	m := modelOf(p.r, set)
	body := m.build(m.shape, m.values)
	body["location"] = DefaultLocation
	jsonmap.SetDefault(jsonmap.Ensure(body, "sku"), "name", replayTexts["sku.name"])
	body["sku"].(object)["capacity"] = p.capacity
	plant(body, "properties.upgradePolicy.mode", "Manual")
	if m.flexible {
		plant(body, "properties.orchestrationMode", "Flexible")
	}
	if m.hibernates {
		plant(body, "properties.additionalCapabilities.hibernationEnabled", true)
	}
	for _, needed := range replayNeeded {
		plant(body, writtenProfile+needed, m.value(needed, "string"))
	}
	return body
}

// replayNeeded are what no scale set is created without, for recordings that do
// not show them.
var replayNeeded = []string{
	"osProfile.adminUsername", "networkProfile.networkInterfaceConfigurations[].name",
	"storageProfile.imageReference.publisher", "storageProfile.imageReference.offer", "storageProfile.imageReference.sku",
}

// unusedInstance is an instance that no other exchange is about, or none at all where
// the recorded ID was refused.
func (p *replayer) unusedInstance(x recordings.Exchange) string {
	if x.Status == http.StatusBadRequest {
		return missingInstance
	}
	free := p.unbound(p.fill(setIn(x.Path)))
	if len(free) == 0 {
		return missingInstance
	}
	return free[len(free)-1]
}

// replayModel builds JSON values out of shapes.
type replayModel struct {
	windows, flexible, hibernates bool
	second                        bool // its images are of generation 2

	shape  recordings.Shape  // of a scale set as its client wrote it
	values recordings.Values // in it
}

// build makes a value of a shape, with the recorded values as far as there are any.
func (m replayModel) build(shape recordings.Shape, values recordings.Values) object {
	o := object{}
	for _, path := range slices.Sorted(maps.Keys(shape)) {
		if path == "$" {
			continue
		}
		kind, _, _ := strings.Cut(shape[path], "|")
		value := m.value(path, kind)
		if recorded := values.Of(path); len(recorded) > 0 {
			value = valueOf(kind, recorded[0])
		}
		plant(o, path, value)
	}
	return o
}

// valueOf is a recorded value of a kind.
func valueOf(kind, text string) any {
	var value any
	if kind == "string" || json.Unmarshal([]byte(text), &value) != nil {
		return text
	}
	return value
}

// plant sets the value at a path, with one element in each array on the way.
func plant(o object, path string, value any) {
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		name, isArray := strings.CutSuffix(key, "[]")
		if !isArray {
			o = jsonmap.Ensure(o, key)
			continue
		}
		if len(jsonmap.List(o, name)) == 0 {
			o[name] = []any{object{}}
		}
		o = o[name].([]any)[0].(object)
	}
	last := keys[len(keys)-1]
	if name, isArray := strings.CutSuffix(last, "[]"); isArray {
		o[name] = []any{value}
		return
	}
	jsonmap.SetDefault(o, last, value)
}

const replayProvider = "/subscriptions/" + DefaultSubscriptionID + "/resourceGroups/" + replayName + "/providers/Microsoft.Network/"

// replayPooled is the scale set of a recording's standby pools.
const replayPooled = "/subscriptions/" + DefaultSubscriptionID + "/resourceGroups/" + replayName + "/providers/Microsoft.Compute/virtualMachineScaleSets/" + replayName

// replayTexts are values for strings, by the end of their path.
var replayTexts = map[string]string{
	"location":                             DefaultLocation,
	"sku.name":                             "Standard_D2s_v5",
	"vmSize":                               "Standard_D2s_v5",
	"sku.tier":                             "Standard",
	"identity.type":                        "SystemAssigned",
	"upgradePolicy.mode":                   "Manual",
	"orchestrationMode":                    "Uniform",
	"priority":                             "Regular",
	"evictionPolicy":                       "Deallocate",
	"osProfile.adminUsername":              "azureuser",
	"publicKeys[].path":                    "/home/azureuser/.ssh/authorized_keys",
	"publicKeys[].keyData":                 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA replay",
	"imageReference.publisher":             "Canonical",
	"imageReference.offer":                 "0001-com-ubuntu-server-jammy",
	"imageReference.sku":                   "22_04-lts", // of generation 1, as most that were recorded
	"imageReference.version":               "latest",
	"osDisk.osType":                        "Linux",
	"osDisk.createOption":                  "FromImage",
	"dataDisks[].createOption":             "Empty",
	"caching":                              "ReadWrite",
	"osType":                               "Linux",
	"osState":                              "Generalized",
	"hyperVGeneration":                     "V1",
	"encryptionType":                       "Ed25519",
	"properties.publicKey":                 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA replay",
	"storageAccountType":                   "Premium_LRS",
	"vhdContainers[]":                      "https://replay.invalid/vhds",
	"privateIPAddressVersion":              "IPv4",
	"properties.primary":                   "true", // as azure-cli writes it
	"subnet.id":                            replayProvider + "virtualNetworks/replay/subnets/replay",
	"networkSecurityGroup.id":              replayProvider + "networkSecurityGroups/replay",
	"networkInterfaces[].id":               replayProvider + "networkInterfaces/replay",
	"loadBalancerBackendAddressPools[].id": replayProvider + "loadBalancers/replay/backendAddressPools/replay",
	"attachedVirtualMachineScaleSetId":     replayPooled,
	"virtualMachineState":                  "Running",
	"natGateway.id":                        replayProvider + "natGateways/replay",
	"publicIpAddresses[].id":               replayProvider + "publicIPAddresses/replay",
	"publicIpPrefixes[].id":                replayProvider + "publicIPPrefixes/replay",
	"addressPrefixes[]":                    "10.0.0.0/16",
	"addressPrefix":                        "10.0.0.0/24",
	"publicIPAllocationMethod":             "Static",
	"properties.level":                     "CanNotDelete",
	"roleDefinitionId":                     replayRole,
	"principalId":                          replayPrincipal,
	"principalType":                        "User",
	"assignableScopes[]":                   "/subscriptions/" + DefaultSubscriptionID,
	"loadBalancerInboundNatPools[].id":     replayProvider + "loadBalancers/replay/inboundNatPools/replay",
}

// replayWindows are by whether the image is of generation 2.
var replayWindows = map[bool]map[string]string{
	false: {"imageReference.publisher": "MicrosoftWindowsServer", "imageReference.offer": "WindowsServer", "imageReference.sku": "2019-Datacenter"},
	true:  {"imageReference.publisher": "MicrosoftWindowsServer", "imageReference.offer": "WindowsServer", "imageReference.sku": "2022-datacenter-g2"},
}

func (m replayModel) value(path, kind string) any {
	switch kind {
	case "object":
		return object{}
	case "array":
		return []any{}
	case "number":
		return 4.0
	case "boolean":
		return strings.HasSuffix(path, ".primary")
	case "null":
		return nil
	}
	for end, text := range replayWindows[m.second] {
		if m.windows && strings.HasSuffix(path, end) {
			return text
		}
	}
	if _, evicted := m.shape[writtenProfile+"evictionPolicy"]; evicted && strings.HasSuffix(path, ".priority") {
		return "Spot"
	}
	best := ""
	for end := range replayTexts {
		if (path == end || strings.HasSuffix(path, "."+end)) && len(end) > len(best) {
			best = end
		}
	}
	if best == "" {
		return replayName
	}
	return replayTexts[best]
}
