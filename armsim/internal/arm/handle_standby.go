package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

// standbyPools are kept as they are written (recording 26). No virtual machines come of
// them: Server.AddStandbyVM adds those.
var standbyPools = keptType{kind: "Microsoft.StandbyPool/standbyVirtualMachinePools", params: []string{"pool"}, fill: fillStandbyPool}

func fillStandbyPool(_ *call, model object) *problem {
	p := jsonmap.Ensure(model, "properties")
	for _, path := range []string{"attachedVirtualMachineScaleSetId", "virtualMachineState", "elasticityProfile.maxReadyCapacity"} {
		if jsonmap.At(p, path) == nil {
			return azhttp.NewProblem(http.StatusBadRequest, "InvalidRequestContent", "The property 'properties.%s' is required.", path)
		}
	}
	p["provisioningState"] = "Succeeded"
	return nil
}

// putStandbyPool is 200 for a new one, too, and needs no operation (recording 26).
func putStandbyPool(c *call) (*response, *problem) {
	a, p := standbyPools.put(c)
	if p == nil {
		a.Status = http.StatusOK
	}
	return a, p
}

// deleteStandbyPool begins an operation, whose URL is the provider's.
func deleteStandbyPool(c *call) (*response, *problem) {
	g, k, p := standbyPools.find(c)
	if k == nil {
		if g != nil {
			return &response{Status: http.StatusNoContent}, nil
		}
		return nil, p
	}
	a := c.accepted(g.Drop(standbyPools.path(c, 1), true), http.StatusAccepted, nil)
	url := strings.NewReplacer("/Microsoft.Compute/", "/Microsoft.StandbyPool/", "/operations/", "/operationStatuses/").Replace(a.Header.Get("Azure-Asyncoperation"))
	a.Header = http.Header{"Azure-Asyncoperation": {url}}
	return a, nil
}

// getStandbyOperation is 202 with a body while the operation runs (recording 26).
func getStandbyOperation(c *call) (*response, *problem) {
	a, p := getOperation(c)
	if o := c.world.Operations.Find(c.param("operation")); p == nil && o.Running() {
		a.Status = http.StatusAccepted
		a.Body.(object)["status"] = "Deleting"
	}
	return a, p
}
