package world

import "gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"

// protected reports whether the instance's protection policy has this set.
func (i *Instance) protected(from string) bool {
	return jsonmap.Bool(i.Extra, "protectionPolicy."+from)
}

// victims are the last n of all that a lower capacity may delete, which are fewer where
// there are not so many.
func victims(all []*Instance, n int) []*Instance {
	var open []*Instance
	for _, i := range all {
		if !i.protected("protectFromScaleIn") && !i.protected("protectFromScaleSetActions") {
			open = append(open, i)
		}
	}
	return open[max(0, len(open)-max(0, n)):]
}
