// Package world is what the simulator simulates: resource groups, scale sets
// and their instances, what becomes of them in simulated time, quota, Spot
// capacity, addresses, long-running operations, and what others do to all that.
//
// It knows nothing of HTTP: it must not import net/http, nor any package of
// this module but armsim/machine and the leaves below armsim/internal.
//
// A World takes no lock. Its owner guards it, its clock and everything reached
// through it with one lock, and holds that lock in every call, as the clock
// does while events run. Exported fields are for reading: only this package
// changes them.
package world
