package budget

import "strings"

// Class is a kind of request that Azure limits separately: the method and the
// resource types, as in "GET virtualmachinescalesets/virtualmachines list".
// Requests of any other class count against Resource Manager's limits alone.
type Class string

// The classes of which limits of their own are known.
const (
	ListInstances       Class = "GET virtualmachinescalesets/virtualmachines list"
	ReadInstance        Class = "GET virtualmachinescalesets/virtualmachines"
	ReadScaleSet        Class = "GET virtualmachinescalesets"
	WriteScaleSet       Class = "PATCH virtualmachinescalesets"
	DeleteInstances     Class = "POST virtualmachinescalesets/delete list"
	DeallocateInstances Class = "POST virtualmachinescalesets/deallocate list"
	StartInstances      Class = "POST virtualmachinescalesets/start list"
	ListVirtualMachines Class = "GET virtualmachines list"

	// UpdateInstance is a write to one instance, of which each has a bucket of its own.
	UpdateInstance Class = "PUT virtualmachinescalesets/virtualmachines"

	// ListByGraph is either list where Azure Resource Graph answers it.
	ListByGraph Class = "GET resource graph list"
)

// Resource Manager limits what passes it, for each subscription and principal, before
// the resource provider sees it.
const (
	managerReads   Class = "Resource Manager reads"
	managerWrites  Class = "Resource Manager writes"
	managerDeletes Class = "Resource Manager deletes"
)

// limit is how often Azure serves a class: so many requests a minute, and at
// most burst of them at once; atOnce is how many this process may have under way, which
// a response does not count yet. Of what others share, spare is the part that is left
// to them: several plugins find out only from their next responses what the others
// have used.
type limit struct{ perMinute, burst, atOnce, spare float64 }

// limitOf returns the limit of a class; false where there is none. The figures are
// those of Microsoft's pages compute-throttling-limits and
// request-limits-and-throttling. Deletions are not on them: recorded responses count
// them against a bucket of the subscription, of 1500. Reads of single instances have a
// bucket for each resource, and nobody says whether that is the instance or the scale
// set: the latter is assumed until a response shows otherwise (Correct).
func limitOf(c Class) (limit, bool) {
	switch c {
	case ListInstances:
		return limit{perMinute: 10, burst: 30, atOnce: 8}, true
	case ReadInstance:
		return limit{perMinute: 12, burst: 36, atOnce: 18}, true
	case ReadScaleSet:
		return limit{perMinute: 12, burst: 36, atOnce: 4}, true
	case WriteScaleSet:
		return limit{perMinute: 4, burst: 12, atOnce: 1}, true
	case DeallocateInstances:
		return limit{perMinute: 175, burst: 525, atOnce: 18}, true
	case DeleteInstances, StartInstances:
		return limit{perMinute: 500, burst: 1500, atOnce: 18}, true
	case ListVirtualMachines:
		return limit{perMinute: 300, burst: 900, atOnce: 18, spare: 0.05}, true
	case ListByGraph: // 4,000 in any minute, of which a bucket serves what it holds and what flows in
		return limit{perMinute: 2000, burst: 2000, atOnce: 18, spare: 0.25}, true
	case managerReads:
		return limit{perMinute: 25 * 60, burst: 250, atOnce: 18, spare: 0.16}, true
	case managerWrites, managerDeletes:
		return limit{perMinute: 10 * 60, burst: 200, atOnce: 18}, true
	}
	return limit{}, false
}

// isOfScaleSet reports whether each scale set has a limit of its own for a class, as those
// in limitOf have. It is assumed of classes whose limits nobody knows.
func isOfScaleSet(c Class) bool {
	return strings.Contains(string(c), " virtualmachinescalesets") && c != DeleteInstances
}

// managerOf is the limit of Resource Manager that a class counts against, and the end
// of the name of the header that tells what is left of it.
func managerOf(c Class) (Class, string) {
	switch method, _, _ := strings.Cut(string(c), " "); method {
	case "GET", "HEAD":
		return managerReads, "reads"
	case "DELETE":
		return managerDeletes, "deletes"
	}
	return managerWrites, "writes"
}
