package main

import (
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// kind is a kind of fault.
type kind struct {
	name     string
	draw     func(*deck) act
	onlySpot bool
}

const (
	updates   = "VirtualMachineScaleSets_Update"
	deletions = "VirtualMachineScaleSets_DeleteInstances"
	creation  = "instance.create"
	deletion  = "instance.delete"
)

// stockOut is the error of Azure when it has no machines left.
var stockOut = armsim.Failure{Code: "AllocationFailed", Message: "We do not have sufficient capacity for the requested VM size in this region."}

// kinds are what Azure, the network and others may do. Truncated lists are not
// among them: no list of Azure's was seen to end early and report it.
var kinds = []kind{
	{name: "429 on lists", draw: func(d *deck) act {
		return d.while(5, 20, d.lists(), armsim.Effect{Error: &armsim.ErrorAnswer{Status: 429, RetryAfter: 1 + d.rand.IntN(5)}})
	}},
	{name: "429 on writes", draw: func(d *deck) act {
		return d.while(5, 20, oneOf(d, updates, deletions), armsim.Effect{Error: &armsim.ErrorAnswer{Status: 429, RetryAfter: 1 + d.rand.IntN(5)}})
	}},
	{name: "server errors", draw: func(d *deck) act {
		return d.some(25, "*", armsim.Effect{Error: &armsim.ErrorAnswer{Status: oneOf(d, 500, 502, 503)}})
	}},
	{name: "server errors after the effect", draw: func(d *deck) act {
		return d.some(25, oneOf(d, updates, deletions), armsim.Effect{Error: &armsim.ErrorAnswer{Status: oneOf(d, 500, 502, 503), After: true}})
	}},
	{name: "slow responses", draw: func(d *deck) act {
		return d.some(25, "*", armsim.Effect{Delay: d.span(1, 5)})
	}},
	{name: "increases cut off", draw: func(d *deck) act {
		return d.once(2, updates, armsim.Effect{Cut: oneOf(d, armsim.CutBefore, armsim.CutAfter)})
	}},
	{name: "deletions cut off", draw: func(d *deck) act {
		return d.once(2, deletions, armsim.Effect{Cut: oneOf(d, armsim.CutBefore, armsim.CutAfter)})
	}},
	{name: "stale lists", draw: func(d *deck) act {
		return d.while(10, 30, d.lists(), armsim.Effect{Stale: d.span(5, 10)})
	}},
	{name: "stale scale set", draw: func(d *deck) act {
		return d.while(10, 30, "VirtualMachineScaleSets_Get", armsim.Effect{Stale: d.span(5, 10), FreshETag: oneOf(d, true, false)})
	}},
	{name: "odd lists", draw: func(d *deck) act {
		return d.some(25, d.lists(), armsim.Effect{List: oneOf(d, armsim.ListShuffle, armsim.ListRepeat, armsim.ListOdd, armsim.ListEmptyLast)})
	}},
	{name: "empty lists", draw: func(d *deck) act {
		return d.some(20, d.lists(), armsim.Effect{List: oneOf(d, armsim.ListEmpty, armsim.ListNoValue)})
	}},
	{name: "increase fails later", draw: func(d *deck) act {
		return d.once(1, updates, armsim.Effect{FailOperation: &armsim.Failure{Code: oneOf(d, "InternalExecutionError", "OverconstrainedAllocationRequest")}})
	}},
	{name: "deletion fails later", draw: func(d *deck) act {
		return d.once(1, deletions, armsim.Effect{FailOperation: &armsim.Failure{Code: "InternalExecutionError"}})
	}},
	{name: "stock-out, instances fail", draw: func(d *deck) act {
		return d.once(3, creation, armsim.Effect{Fail: &stockOut})
	}},
	{name: "stock-out, instances absent", draw: func(d *deck) act {
		return d.once(2, creation, armsim.Effect{Absent: &stockOut})
	}},
	{name: "slow creations", draw: func(d *deck) act {
		return d.while(10, 30, creation, armsim.Effect{Slow: float64(3 + d.rand.IntN(6))})
	}},
	{name: "stuck creation", draw: func(d *deck) act { return d.once(1, creation, armsim.Effect{Stuck: true}) }},
	{name: "slow deletions", draw: func(d *deck) act {
		return d.while(10, 30, deletion, armsim.Effect{Slow: float64(3 + d.rand.IntN(8))})
	}},
	{name: "failing deletions", draw: func(d *deck) act {
		return d.once(2, deletion, armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}})
	}},
	// Not one that is stuck for good: armsim goes on with it when all faults are
	// cleared, and until then a scale set that refuses a second write would
	// refuse all.
	{name: "stuck deletion", draw: func(d *deck) act {
		return d.once(1, deletion, armsim.Effect{Slow: float64(25 + d.rand.IntN(20))})
	}},
	{name: "conflicts", draw: func(d *deck) act {
		return d.some(20, oneOf(d, updates, deletions), armsim.Effect{Error: &armsim.ErrorAnswer{Status: 409}})
	}},
	{name: "expired token", draw: func(d *deck) act {
		return d.once(1, "*", armsim.Effect{Error: &armsim.ErrorAnswer{Status: 401}})
	}},
	{name: "quota dip", draw: func(d *deck) act {
		return act{events: []armsim.Event{{Do: "quota", Count: 4 + 2*d.rand.IntN(5)}, {Do: "quota", After: d.span(10, 25)}}}
	}},
	{name: "external increase", draw: func(*deck) act { return act{events: []armsim.Event{{Do: "raise", Object: "*", Count: 1}}} }},
	{name: "external tag", draw: func(*deck) act { return act{events: []armsim.Event{{Do: "tag", Object: "*"}}} }},
	{name: "power cut", draw: func(*deck) act { return act{strike: "kill"} }},
	{name: "eviction", onlySpot: true, draw: func(*deck) act { return act{strike: "evict"} }},
	{name: "another eviction", onlySpot: true, draw: func(*deck) act { return act{strike: "evict"} }},
}

// while is a fault of every request for some seconds.
func (d *deck) while(least, most int, operation string, e armsim.Effect) act {
	return act{fault: &armsim.Fault{Operation: operation, For: d.span(least, most), Effect: e}}
}

// some is a fault of a share of the requests for some seconds.
func (d *deck) some(most int, operation string, e armsim.Effect) act {
	a := d.while(5, most, operation, e)
	a.fault.Probability = d.chance()
	return a
}

// once is a fault of the next request, or the next few, of half a minute.
func (d *deck) once(most int, operation string, e armsim.Effect) act {
	a := d.while(30, 30, operation, e)
	a.fault.Times = 1 + d.rand.IntN(most)
	return a
}
