package armsim

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// Requests whose bodies their recorder dropped, and what stood before them: the least that
// has the recorded outcome, by its code.

// replayDropped are the bodies by code, of requests about virtual machines and scale sets.
var replayDropped = map[string]func() object{
	"ResourcePurchaseValidationFailed": func() object {
		body := machineBody()
		body["plan"] = object{"publisher": replayName, "product": replayName, "name": replayName}
		return body
	},
	"LinkedInvalidPropertyId": func() object {
		body := machineBody()
		body["properties"].(object)["osProfile"].(object)["secrets"] = []any{object{"sourceVault": object{"id": replayName}}}
		return body
	},
	"PropertyChangeNotAllowed": func() object { return object{"properties": object{"priority": "Regular"}} },
	"OperationNotAllowed":      func() object { return object{"properties": object{"billingProfile": object{"maxPrice": 0.5}}} },
	"BadRequest": func() object {
		return object{"properties": object{"virtualMachineProfile": object{
			"securityProfile": object{"securityType": "TrustedLaunch"}, "storageProfile": object{"imageReference": object{"id": replayImage}},
		}}}
	},
}

// replayImage is a managed image.
const replayImage = "/subscriptions/" + DefaultSubscriptionID + "/resourceGroups/" + replayName + "/providers/Microsoft.Compute/images/" + replayName

// droppedBody is the body of a refused request that has none; nil: it is no such request.
func droppedBody(x recordings.Exchange) object {
	if x.Request != nil || x.Error == nil || x.Method != http.MethodPut && x.Method != http.MethodPatch {
		return nil
	}
	body, known := replayDropped[x.Error.Code]
	isMachine, isRefused := aboutMachine(x.Path), x.Status == http.StatusBadRequest
	if !known || !isMachine && !(isRefused && setIn(x.Path) == x.Path) {
		return nil
	}
	full := body()
	full["location"] = DefaultLocation
	return full
}

// aboutMachine reports whether a path is a virtual machine of a group.
func aboutMachine(path string) bool {
	return kindIn(path) == "virtualmachines" && strings.HasSuffix(path, "}")
}

// writtenOfMachine are what the client of a machine wrote; the rest must come by itself.
var writtenOfMachine = regexp.MustCompile(`^tags|\.ssh\.|\.disablePasswordAuthentication$|\.networkInterfaces\[\]\.id$`)

// makeMachineBefore makes the machine that an exchange found, unless one before it made it.
func (p *replayer) makeMachineBefore(x recordings.Exchange) {
	first := slices.IndexFunc(p.r.Exchanges, func(one recordings.Exchange) bool { return one.Path == x.Path })
	if !aboutMachine(x.Path) || isDeployed(p.r, x.Path) || p.r.Exchanges[first].Status >= http.StatusBadRequest && p.r.Exchanges[first].Status != http.StatusConflict ||
		p.r.Exchanges[first].Status == http.StatusCreated || p.has(p.fill(x.Path)) {
		return
	}
	body := machineBody()
	if x.Status == http.StatusConflict {
		body["properties"].(object)["priority"] = "Spot"
	}
	for path, kind := range x.Response {
		if !writtenOfMachine.MatchString(path) {
			continue
		}
		value := p.model.value(path, kind)
		if recorded := x.ResponseValues[path]; recorded != "" {
			value = valueOf(kind, recorded)
		}
		plant(body, path, value)
	}
	p.put(p.fill(x.Path), "2025-04-01", body)
}
