package armsim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// What stood around scale sets before a recording began, by what its exchanges
// found and were refused for.

const (
	replayRole      = "/subscriptions/" + DefaultSubscriptionID + "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
	replayPrincipal = "0f0f0f0f-0000-4000-8000-00000000000f"
	listedPrincipal = "0f0f0f0f-0000-4000-8000-00000000001f" // who had a role before
)

// kindIn is the last type that a path names, in lower case.
func kindIn(path string) string {
	_, rest, _ := lastCut(strings.ToLower(path), "/providers/")
	parts := strings.Split(rest, "/")
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

func lastCut(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

var groupAlone = regexp.MustCompile(`(?i)/resourcegroups/\{group[^/]*\}$`)

// foundGroup is the group that the exchange is about, if it is the first that is
// and found it.
func foundGroup(r recordings.Summary, x recordings.Exchange) string {
	if !groupAlone.MatchString(x.Path) {
		return ""
	}
	first := r.Exchanges[slices.IndexFunc(r.Exchanges, func(one recordings.Exchange) bool { return one.Path == x.Path })]
	if first.Status == http.StatusCreated || first.Status == http.StatusNotFound {
		return ""
	}
	return x.Path
}

// presentProviders are namespaces that a recording found.
func presentProviders(r recordings.Summary) []string {
	var all []string
	for _, x := range r.Exchanges {
		_, namespace, _ := lastCut(x.Path, "/providers/")
		if x.Method == http.MethodGet && x.Response["registrationState"] != "" && !slices.Contains(all, namespace) {
			all = append(all, namespace)
		}
	}
	return all
}

// fillFilter puts names of this run into a filter.
func fillFilter(filter string) string {
	values := map[string]string{"tagname": "{key}", "tagvalue": replayName, "principalId": listedPrincipal, "roleName": "Reader"}
	for field, value := range values {
		filter = strings.ReplaceAll(filter, field+" eq '{name}'", field+" eq '"+value+"'")
	}
	return filter
}

func assignmentBody(principal string) object {
	return object{"properties": object{"roleDefinitionId": replayRole, "principalId": principal, "principalType": "User"}}
}

// put makes something that is no part of the recording.
func (p *replayer) put(path, version string, body object) {
	body["location"] = DefaultLocation
	require.NoError(p.t, p.s.Put(p.t.Context(), path, version, body))
	p.s.Advance(settledReplay)
}

// makeSurroundings makes what refusals and lists of the recording show.
func (p *replayer) makeSurroundings() {
	inUse := []string{"NicInUse", "InUseNetworkSecurityGroupCannotBeDeleted", "PublicIPAddressCannotBeDeleted", "InUseSubnetCannotBeDeleted"}
	used := map[string]bool{}
	for _, x := range p.r.Exchanges {
		p.makeMachineBefore(x)
		switch {
		case isCode(x, "BadRequest") && droppedBody(x) != nil:
			p.put(replayImage, "2024-03-01", object{"properties": object{"storageProfile": object{"osDisk": object{"osType": "Linux"}}}})
		case x.ResponseValues["value[].properties.error.details[].code"] == "AllocationFailed":
			p.makeFailedDeployment(groupIn(x.Path))
		case isCode(x, "ScopeLocked"):
			p.put(p.fill(x.Path)+"/providers/Microsoft.Authorization/locks/"+replayName, "2016-09-01", object{"properties": object{"level": "CanNotDelete"}})
		case isCode(x, "RoleAssignmentExists"):
			p.put(p.fill(x.Path)+"-before", "2022-04-01", assignmentBody(replayPrincipal))
		case strings.Contains(x.Query["$filter"], "principalId"):
			p.put(p.fill(x.Path)+"/"+replayName+"-before", "2022-04-01", assignmentBody(listedPrincipal))
		case x.Response["value[].notActions[]"] != "":
			p.grant("Contributor")
		case startOfMachine.MatchString(x.Path):
			p.makeHibernated(strings.TrimSuffix(p.fill(x.Path), "/start"))
		case isCode(x, inUse...) && !used[groupIn(x.Path)]:
			used[groupIn(x.Path)] = true
			p.makeUsedNetwork(p.fill(groupIn(x.Path)))
		}
	}
}

// makeUsedNetwork makes a machine with an interface, and all that this uses.
func (p *replayer) makeUsedNetwork(group string) {
	const version = "2024-01-01"
	network, id := group+"/providers/Microsoft.Network/", func(path string) object { return object{"id": path} }
	nsg, vnet, nic := network+"networkSecurityGroups/"+replayName, network+"virtualNetworks/"+replayName, network+"networkInterfaces/"+replayName
	address := network + "publicIPAddresses/" + replayName
	p.put(nsg, version, object{})
	p.put(address, version, object{})
	subnet := object{"name": replayName, "properties": object{"addressPrefix": "10.0.0.0/24"}}
	p.put(vnet, version, object{"properties": object{"addressSpace": object{"addressPrefixes": []any{"10.0.0.0/16"}}, "subnets": []any{subnet}}})
	config := object{"name": replayName, "properties": object{"subnet": id(vnet + "/subnets/" + replayName), "publicIPAddress": id(address)}}
	p.put(nic, version, object{"properties": object{"networkSecurityGroup": id(nsg), "ipConfigurations": []any{config}}})
	p.put(group+"/providers/Microsoft.Compute/virtualMachines/"+replayName, "2025-04-01", machineBody(id(nic)))
}

var startOfMachine = regexp.MustCompile(`(?i)/virtualMachines/\{machine[^/]*\}/start$`)

// makeHibernated makes a machine that is resumed: no recording shows another started.
func (p *replayer) makeHibernated(id string) {
	machine := machineBody()
	machine["properties"].(object)["additionalCapabilities"] = object{"hibernationEnabled": true}
	p.put(id, "2025-04-01", machine)
	require.NoError(p.t, p.s.Do(p.t.Context(), http.MethodPost, id+"/deallocate", "2025-04-01&hibernate=true", object{}))
	p.s.Advance(settledReplay)
}

var replayRef = object{"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts", "version": "latest"}

func machineBody(interfaces ...any) object {
	return object{"properties": object{
		"hardwareProfile": object{"vmSize": replayTexts["sku.name"]}, "osProfile": object{"adminUsername": "azureuser"},
		"storageProfile": object{"imageReference": replayRef},
		"networkProfile": object{"networkInterfaces": append([]any{}, interfaces...)},
	}}
}

// makeLinked makes the network resources that a body names, where the recording
// does not show how they were made.
func (p *replayer) makeLinked(x recordings.Exchange, body any) {
	kind := kindIn(x.Path)
	if x.Request["properties.attachedVirtualMachineScaleSetId"] != "" && !p.has(replayPooled) {
		p.put(replayPooled, "2025-04-01", ScaleSetSpec{Name: replayName, OrchestrationMode: "Flexible"}.model(p.s.config, p.s.defaultImage("")))
	}
	if x.Method != http.MethodPut || kind != "virtualnetworks" && kind != "natgateways" {
		return
	}
	for _, path := range []string{"properties.natGateway.id", "properties.publicIpAddresses", "properties.subnets"} {
		value := jsonmap.At(body, path)
		if list, ok := value.([]any); ok && len(list) > 0 {
			value = jsonmap.At(list[0], "id")
		}
		if id, ok := value.(string); ok && !p.has(id) {
			p.put(id, "2024-01-01", object{"properties": object{"publicIPAllocationMethod": "Static"}})
		}
	}
}

func (p *replayer) has(id string) bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.s.world.FindResource(id) != nil || p.s.world.ScaleSetByID(id) != nil
}

// grant gives the client one more role.
func (p *replayer) grant(role string) {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	access := p.s.world.Access
	access.Grant(p.s.Principal.Object(), access.RoleNamed(role), "/subscriptions/"+DefaultSubscriptionID)
}

// groupBody is the group as it stood before the recording.
func groupBody(r recordings.Summary, group string) object {
	body := object{"location": DefaultLocation}
	for _, x := range r.Exchanges {
		if strings.EqualFold(x.Path, group) && x.Response["tags.{key}"] != "" {
			body["tags"] = object{"{key}": replayName}
		}
	}
	return body
}

// pageSizeOf leaves the lists of a recording that has no page but one on one.
func pageSizeOf(r recordings.Summary) int {
	if slices.ContainsFunc(r.Exchanges, func(x recordings.Exchange) bool { return x.Response["nextLink"] != "" }) {
		return 0
	}
	return 50
}
