package arm

// limit is one of Azure's token buckets: perMinute tokens flow in, up to burst.
type limit struct {
	name      string
	perMinute float64
	burst     float64
	scope     limitScope
}

// limitScope is what has a bucket of its own.
type limitScope int

const (
	ofSubscription limitScope = iota
	ofResource                // one that the request names
	ofPrincipal               // in the subscription
)

// bucketed names the buckets that a route's calls draw from, a token each.
type bucketed string

const (
	limitNone          bucketed = ""
	limitScaleSetGet   bucketed = "scale set get"
	limitScaleSetPut   bucketed = "scale set put"
	limitScaleSetPatch bucketed = "scale set patch"
	limitScaleSetKill  bucketed = "scale set delete"
	limitScaleSetAct   bucketed = "scale set action"
	limitScaleSetStop  bucketed = "scale set stop"
	limitScaleSetView  bucketed = "scale set high-cost get"
	limitScaleSetList  bucketed = "scale set list"
	limitInstanceList  bucketed = "instance list"
	limitInstanceGet   bucketed = "instance get"
	limitInstancePut   bucketed = "instance update"
	limitInstanceKill  bucketed = "instance delete"
	limitMachineGet    bucketed = "virtual machine get"
	limitMachineMake   bucketed = "virtual machine put"
	limitMachinePut    bucketed = "virtual machine update"
	limitMachineKill   bucketed = "virtual machine delete"
	limitMachineList   bucketed = "virtual machine list"
	limitOperation     bucketed = "operation get"
)

// computeLimits are Compute's, with the figures of Microsoft's
// compute-throttling-limits page, and the names and order of the headers that
// azure-cli's tests recorded in 2024 (test_vmss_vms, test_vmss_hibernate,
// test_vmss_create_user_data, test_create_flexible_vmss_with_priority_mix_policy,
// test_vm_ssh_key_ed25519; recording 15). Believed are the names that a PATCH and
// the DELETE of a scale set draw from, and a PUT of a virtual machine, whose name was
// recorded in 2020. PUT of a scale set that exists draws from
// CreateVMScaleSet. The bursts of 2,000 are recorded where the page has 1,500;
// its rate was kept.
var computeLimits = map[bucketed][]limit{
	limitScaleSetGet:   pair("GetVMScaleSet", 800, 2400, 12, 36),
	limitScaleSetPut:   pair("CreateVMScaleSet", 125, 375, 4, 12),
	limitScaleSetPatch: pair("UpdateVMScaleSet", 500, 1500, 4, 12),
	limitScaleSetKill:  pair("DeleteVMScaleSet", 175, 525, 4, 12),
	limitScaleSetAct:   {{"VMScaleSetActionsSubscriptionMaximum", 500, 1500, ofSubscription}},
	limitScaleSetStop:  {{"DeleteVMScaleSetSubscriptionMaximum", 175, 525, ofSubscription}},
	limitScaleSetView:  pair("HighCostGetVMScaleSet", 360, 1080, 10, 30),
	limitScaleSetList:  {{"HighCostGetVMScaleSetSubscriptionMaximum", 360, 1080, ofSubscription}},
	limitInstanceList:  pair("HighCostGetVMScaleSet", 360, 1080, 10, 30),
	limitInstanceGet:   pair("GetVMScaleSetVM", 2000, 6000, 12, 36),
	limitInstancePut:   pair("VMScaleSetVMActions", 500, 2000, 4, 12),
	limitInstanceKill:  pair("DeleteVMScaleSetVM", 500, 2000, 4, 12),
	limitMachineGet:    pair("LowCostGet", 8000, 24000, 12, 36),
	limitMachineMake:   pair("PutVM", 500, 1500, 4, 12),
	limitMachinePut:    pair("UpdateVM", 500, 1500, 4, 12),
	limitMachineKill:   pair("DeleteVM", 500, 1500, 4, 12),
	limitMachineList:   {{"HighCostGetSubscriptionMaximum", 300, 900, ofSubscription}},
	limitOperation: {
		{"GetOperationResource", 15, 45, ofResource}, {"GetOperationSubscriptionMaximum", 5000, 15000, ofSubscription},
	},
}

func pair(name string, subRate, subBurst, rate, burst float64) []limit {
	return []limit{
		{name + "SubscriptionMaximum", subRate, subBurst, ofSubscription},
		{name + "Resource", rate, burst, ofResource},
	}
}

// vmLimits count virtual machines, not calls: as many tokens as a read shows, or
// a write touches, which is x-ms-request-charge (recording 15). Their bursts
// are recorded; that a third flows in each minute is inferred from all limits on
// Microsoft's page.
var (
	viewLimit    = limit{"VMScaleSetVMViewsSubscriptionMaximum", 10000, 30000, ofSubscription}
	batchedLimit = limit{"VMScaleSetBatchedVMRequestsSubscriptionMaximum", 2000, 6000, ofSubscription}
)

// armLimit is Resource Manager's for a kind of request.
type armLimit struct {
	header string // x-ms-ratelimit-remaining-subscription-HEADER
	kind   string // in the error's words
	own    limit  // of a principal
	global limit  // of all principals
}

// newARMLimit has the limit of all principals 15 times as high as that of one:
// Microsoft's page on request limits and throttling.
func newARMLimit(kind string, perSecond, burst float64) armLimit {
	return armLimit{
		kind + "s", kind,
		limit{kind + "s", 60 * perSecond, burst, ofPrincipal},
		limit{"global-" + kind + "s", 15 * 60 * perSecond, 15 * burst, ofSubscription},
	}
}

var armReads, armWrites, armDeletes = newARMLimit("read", 25, 250), newARMLimit("write", 10, 200), newARMLimit("delete", 10, 200)

// armLimitOf is the limit of a method; POST is a write (recording 15).
func armLimitOf(method string) armLimit {
	switch method {
	case get, head:
		return armReads
	case del:
		return armDeletes
	}
	return armWrites
}
