package arm

import (
	"fmt"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// spendOnARM draws from Resource Manager's own limits, which stand in front of
// every provider's. The 403 of who lacks a right has no such headers where
// azure-cli's tests recorded one, and draws nothing.
func (c *call) spendOnARM() *problem {
	own := armLimitOf(c.request.Method)
	left, short := c.front.limiter.take([]limit{own.own, own.global}, c.client, 1, c.front.now())
	if short != nil {
		return azhttp.ThrottledByARM(own.kind, c.front.config.SubscriptionID, c.client, short.retryAfter)
	}
	for n, name := range []string{own.own.name, own.global.name} {
		c.header.Set("x-ms-ratelimit-remaining-subscription-"+name, fmt.Sprint(left[n]))
	}
	return nil
}

// spend draws from Compute's limits on calls.
func (c *call) spend() *problem {
	if c.byGraph() {
		return c.spendOnGraph()
	}
	if p := c.draw(c.limits(), 1); p != nil {
		return p
	}
	if c.route.limit == limitInstanceGet {
		return c.view(1)
	}
	return nil
}

// limits are those that the call draws a token each from, which depends on open
// questions.
func (c *call) limits() []limit {
	all, patch, u := limitsOf(c.route.limit), limitsOf(limitScaleSetPatch), c.world.Unknowns()
	if u.PatchDrawsFromActions {
		patch = pair("VMScaleSetActions", 500, 1500, 4, 12)
	}
	switch {
	case c.route.limit == limitScaleSetPatch:
		return patch
	case c.route.operation == "VirtualMachineScaleSets_DeleteInstances" && u.DeleteSharesUpdateBucket:
		return withLimits(all, patch)
	case c.route.operation == "VirtualMachineScaleSets_Deallocate" && u.SetDeallocationLimited:
		return limitsOf(limitScaleSetKill)
	case c.route.limit == limitInstancePut && c.request.Method == post && u.InstanceActionsDrawFromSet:
		return withLimits(limitsOf(limitScaleSetAct), all)
	}
	return all
}

// withLimits are both kinds, each once.
func withLimits(all, more []limit) []limit {
	return append(slices.Clone(all), slices.DeleteFunc(slices.Clone(more), func(l limit) bool { return slices.Contains(all, l) })...)
}

// view draws for the instances that a read shows. One that shows none names no
// charge (azure-cli, test_vmss_vms).
func (c *call) view(shown int) *problem {
	if shown > 0 {
		c.header.Set("x-ms-request-charge", fmt.Sprint(shown))
	}
	return c.draw([]limit{viewLimit}, float64(shown))
}

// viewList draws for the instances on a page of a list.
func (c *call) viewList(a *response) *problem {
	if c.route.limit != limitInstanceList || c.byGraph() {
		return nil
	}
	return c.view(len(jsonmap.List(a.Body, "value")))
}

// charge draws for the virtual machines that a write to a scale set touches. It
// comes before the write takes effect. Flexible sets have none of it (azure-cli,
// test_vmss_hibernate); for their batch deletion that is inferred.
func (c *call) charge(set *world.ScaleSet, touched int) *problem {
	if !set.Uniform() {
		return nil
	}
	if p := c.draw([]limit{batchedLimit}, float64(touched)); p != nil {
		return p
	}
	c.header.Set("x-ms-request-charge", fmt.Sprint(touched))
	// No limit: it is 0 in every recording since 2024.
	c.report("VmssQueuedVMOperations", 0)
	return nil
}

// draw takes n tokens from each of Compute's buckets, and reports what is left.
func (c *call) draw(limits []limit, n float64) *problem {
	left, short := c.front.limiter.take(limits, c.limited(), n, c.front.now())
	if short != nil {
		return azhttp.Throttled(short.limit, short.retryAfter)
	}
	for n, lim := range limits {
		c.report(lim.name, left[n])
	}
	return nil
}

// report adds a bucket to the header that lists them.
func (c *call) report(bucket string, left int) {
	const header = "x-ms-ratelimit-remaining-resource"
	entry := fmt.Sprintf("Microsoft.Compute/%s;%d", bucket, left)
	if before := c.header.Get(header); before != "" {
		entry = before + "," + entry
	}
	c.header.Set(header, entry)
}

// limited is the resource whose buckets a call draws from.
func (c *call) limited() string {
	instance := c.param("instance")
	if c.route.limit == limitInstanceGet && c.world.Unknowns().InstanceReadsShareBucket {
		instance = "" // one for all of the scale set
	}
	return strings.Join([]string{c.param("group"), c.param("scaleSet"), instance, c.param("machine"), c.param("operation")}, "/")
}
