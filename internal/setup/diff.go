package setup

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Difference is one value that is not as wanted.
type Difference struct {
	Path string `json:"path"`
	From any    `json:"from"` // nil: nothing is there
	To   any    `json:"to"`
}

// differences are what has to change in have for it to hold all of want. What want does
// not name is left alone, for Azure fills in much. Azure changes the case of IDs, names
// and locations.
func differences(path string, want, have any) []Difference {
	switch want := want.(type) {
	case object:
		have, _ := have.(object)
		var all []Difference
		for _, key := range sortedKeys(want) {
			all = append(all, differences(strings.TrimPrefix(path+"."+key, "."), want[key], valueOf(have, key))...)
		}
		return all
	case list:
		return listDifferences(path, want, have)
	}
	if sameValue(want, have) {
		return nil
	}
	return []Difference{{path, have, want}}
}

// listDifferences compares lists by place; those of objects with a name by that, so that
// others may have added some.
func listDifferences(path string, want list, have any) (all []Difference) {
	there, _ := have.(list)
	if isNamed(want) {
		for _, element := range want {
			name := element.(object)["name"]
			all = append(all, differences(fmt.Sprintf("%s[%v]", path, name), element, findNamed(there, name))...)
		}
		return all
	}
	if len(want) != len(there) {
		return []Difference{{path, have, want}}
	}
	for n, element := range want {
		all = append(all, differences(fmt.Sprintf("%s[%d]", path, n), element, there[n])...)
	}
	return all
}

// isNamed reports whether the elements of a list have names to tell them by.
func isNamed(all list) bool {
	if len(all) == 0 {
		return false
	}
	first, ok := all[0].(object)
	return ok && first["name"] != nil
}

func findNamed(all list, name any) any {
	for _, element := range all {
		if o, ok := element.(object); ok && sameValue(name, o["name"]) {
			return o
		}
	}
	return nil
}

func valueOf(o object, key string) any {
	for k, v := range o {
		if strings.EqualFold(k, key) {
			return v
		}
	}
	return nil
}

func sameValue(a, b any) bool {
	x, ok := a.(string)
	if y, also := b.(string); ok && also {
		return strings.EqualFold(x, y) || strings.EqualFold(location(x), location(y))
	}
	if fmt.Sprint(a) == fmt.Sprint(b) && a != nil && b != nil {
		return true // 4 and 4.0, as JSON has it
	}
	return reflect.DeepEqual(a, b)
}

// location is the name of a region, which Azure also shows as "West Europe".
func location(name string) string { return strings.ReplaceAll(name, " ", "") }

func sortedKeys(o object) []string {
	keys := make([]string, 0, len(o))
	for key := range o {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
