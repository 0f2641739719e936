package budget

// Class is a kind of request that Azure limits separately: the method and the
// resource types, as in "GET virtualmachinescalesets/virtualmachines list".
// Requests of any other class are counted, too, and not limited.
type Class string

// The classes of which Azure's limits are known.
const (
	ListInstances       Class = "GET virtualmachinescalesets/virtualmachines list"
	ReadScaleSet        Class = "GET virtualmachinescalesets"
	WriteScaleSet       Class = "PATCH virtualmachinescalesets"
	DeleteInstances     Class = "POST virtualmachinescalesets/delete list"
	ListVirtualMachines Class = "GET virtualmachines list"
)

// limit is how often Azure serves a class: so many requests a minute, and at
// most burst of them at once.
type limit struct{ perMinute, burst float64 }

// limitOf returns the limit of a class, as Microsoft's compute-throttling-limits
// page gives it for one scale set; false where there is none.
func limitOf(c Class) (limit, bool) {
	switch c {
	case ListInstances:
		return limit{10, 30}, true
	case ReadScaleSet:
		return limit{12, 36}, true
	case WriteScaleSet, DeleteInstances:
		return limit{4, 12}, true
	case ListVirtualMachines:
		return limit{300, 900}, true
	}
	return limit{}, false
}
