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

// Warm is the mark of an instance of the warm pool that was made from a model; empty: from
// one that is not known.
func Warm(model string) Mark {
	if model == "" {
		return warm
	}
	return Mark(warm + "-" + model)
}

// Protection is what the plugin knows of the protection policy of an instance, as Azure
// has it.
type Protection struct {
	FromScaleIn bool `json:"protectFromScaleIn"`
}

// MarkOf is the mark of an instance: its tag, or where that is not there, its protection
// from scale-in, which is that of one that is suspended, or somebody else's. The warm pool's
// mark is a tag alone. Azure keeps the case of a tag's name and compares it without
// (Microsoft's page on tags).
func MarkOf(tags map[string]string, p Protection) (mark Mark, byPolicy bool) {
	for name, value := range tags {
		if strings.EqualFold(name, MarkTag) {
			return Mark(value), false
		}
	}
	if p.FromScaleIn {
		return Suspended, true
	}
	return Unmarked, false
}

// IsWarm reports whether it is the mark of an instance of the warm pool.
func (m Mark) IsWarm() bool { return m == warm || strings.HasPrefix(string(m), warm+"-") }
