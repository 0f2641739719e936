package bench

import (
	"runtime"
	"time"
)

// used is processor time and allocations.
type used struct {
	cpu         time.Duration
	allocations int
}

// usage is what this process has used so far. Time is virtual in a synctest bubble,
// processor time is not.
func usage() used {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return used{processorTime(), int(m.Mallocs)}
}

func (u used) since(before used) used {
	return used{u.cpu - before.cpu, u.allocations - before.allocations}
}

// add adds one of n measurements to their mean.
func (u *used) add(one used, n int) {
	u.cpu += one.cpu / time.Duration(n)
	u.allocations += one.allocations / n
}
