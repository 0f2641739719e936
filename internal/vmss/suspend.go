package vmss

import "strings"

// Mark is what the plugin remembers of an instance on Azure itself, so that it outlives
// the process. Only the plugin sets it.
type Mark string

// The marks of an instance.
const (
	Unmarked  Mark = ""
	Suspended Mark = "suspended" // the plugin deallocates it because the runner suspends it
)

// MarkTag is the tag of an instance that holds its mark.
const MarkTag = "fleeting-plugin-azure-suspended"

const warm = "warm"

// Warm is the mark of an instance of the warm pool that was made from a model.
func Warm(model string) Mark { return Mark(warm + "-" + model) }

// IsWarm reports whether it is the mark of an instance of the warm pool.
func (m Mark) IsWarm() bool { return m == warm || strings.HasPrefix(string(m), warm+"-") }
