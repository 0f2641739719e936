package main

import (
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// kind is a kind of fault.
type kind struct {
	name     string
	onlySpot bool
	draw     func(*deck) act
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
	{"429 on lists", false, func(d *deck) act { return d.while(5, 20, d.lists(), d.throttle()) }},
	{"429 on writes", false, func(d *deck) act { return d.while(5, 20, d.writes(), d.throttle()) }},
	{"server errors", false, func(d *deck) act { return d.some(25, "*", status(oneOf(d, 500, 502, 503))) }},
	{"server errors after the effect", false, func(d *deck) act {
		return d.some(25, d.writes(), armsim.Effect{Error: &armsim.ErrorResponse{Status: oneOf(d, 500, 502, 503), After: true}})
	}},
	{"slow responses", false, func(d *deck) act { return d.some(25, "*", armsim.Effect{Delay: d.span(1, 5)}) }},
	{"increases cut off", false, func(d *deck) act { return d.once(2, updates, d.cut()) }},
	{"deletions cut off", false, func(d *deck) act { return d.once(2, deletions, d.cut()) }},
	{"stale lists", false, func(d *deck) act { return d.while(10, 30, d.lists(), armsim.Effect{Stale: d.span(5, 10)}) }},
	{"stale scale set", false, func(d *deck) act {
		return d.while(10, 30, "VirtualMachineScaleSets_Get", armsim.Effect{Stale: d.span(5, 10), FreshETag: oneOf(d, true, false)})
	}},
	{"odd lists", false, func(d *deck) act {
		return d.some(25, d.lists(), armsim.Effect{List: oneOf(d, armsim.ListShuffle, armsim.ListRepeat, armsim.ListOdd, armsim.ListEmptyLast)})
	}},
	{"empty lists", false, func(d *deck) act {
		return d.some(20, d.lists(), armsim.Effect{List: oneOf(d, armsim.ListEmpty, armsim.ListNoValue)})
	}},
	{"increase fails later", false, func(d *deck) act {
		return d.once(1, updates, armsim.Effect{FailOperation: &armsim.Failure{Code: oneOf(d, "InternalExecutionError", "OverconstrainedAllocationRequest")}})
	}},
	{"deletion fails later", false, func(d *deck) act {
		return d.once(1, deletions, armsim.Effect{FailOperation: &armsim.Failure{Code: "InternalExecutionError"}})
	}},
	{"stock-out, instances fail", false, func(d *deck) act { return d.once(3, creation, armsim.Effect{Fail: &stockOut}) }},
	{"stock-out, instances absent", false, func(d *deck) act { return d.once(2, creation, armsim.Effect{Absent: &stockOut}) }},
	{"slow creations", false, func(d *deck) act { return d.while(10, 30, creation, armsim.Effect{Slow: float64(3 + d.rand.IntN(6))}) }},
	{"stuck creation", false, func(d *deck) act { return d.once(1, creation, armsim.Effect{Stuck: true}) }},
	{"slow deletions", false, func(d *deck) act { return d.while(10, 30, deletion, armsim.Effect{Slow: float64(3 + d.rand.IntN(8))}) }},
	{"failing deletions", false, func(d *deck) act {
		return d.once(2, deletion, armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}})
	}},
	// Not one that is stuck for good: armsim goes on with it when all faults are
	// cleared, and until then a scale set that refuses a second write would
	// refuse all.
	{"stuck deletion", false, func(d *deck) act { return d.once(1, deletion, armsim.Effect{Slow: float64(25 + d.rand.IntN(20))}) }},
	{"conflicts", false, func(d *deck) act { return d.some(20, d.writes(), status(409)) }},
	{"expired token", false, func(d *deck) act { return d.once(1, "*", status(401)) }},
	{"quota dip", false, func(d *deck) act {
		return act{events: []armsim.Event{{Do: "quota", Count: 4 + 2*d.rand.IntN(5)}, {Do: "quota", After: d.span(10, 25)}}}
	}},
	{"external increase", false, func(*deck) act { return act{events: []armsim.Event{{Do: "raise", Object: "*", Count: 1}}} }},
	{"external tag", false, func(*deck) act { return act{events: []armsim.Event{{Do: "tag", Object: "*"}}} }},
	{"power cut", false, func(*deck) act { return act{strike: "kill"} }},
	{"eviction", true, func(*deck) act { return act{strike: "evict"} }},
	{"another eviction", true, func(*deck) act { return act{strike: "evict"} }},
}

func status(code int) armsim.Effect {
	return armsim.Effect{Error: &armsim.ErrorResponse{Status: code}}
}

func (d *deck) throttle() armsim.Effect {
	return armsim.Effect{Error: &armsim.ErrorResponse{Status: 429, RetryAfter: 1 + d.rand.IntN(5)}}
}

func (d *deck) cut() armsim.Effect {
	return armsim.Effect{Cut: oneOf(d, armsim.CutBefore, armsim.CutAfter)}
}

func (d *deck) writes() string { return oneOf(d, updates, deletions) }

// while is a fault of every request for some seconds.
func (d *deck) while(least, most int, operation string, e armsim.Effect) act {
	return act{fault: &armsim.Fault{Operation: operation, For: d.span(least, most), Effect: e}}
}

// some is a fault of a share of the requests for some seconds: not of all, so that
// work goes on.
func (d *deck) some(most int, operation string, e armsim.Effect) act {
	a := d.while(5, most, operation, e)
	a.fault.Probability = float64(3+d.rand.IntN(6)) / 10
	return a
}

// once is a fault of the next request, or the next few, of half a minute.
func (d *deck) once(most int, operation string, e armsim.Effect) act {
	a := d.while(30, 30, operation, e)
	a.fault.Times = 1 + d.rand.IntN(most)
	return a
}
