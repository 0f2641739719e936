package fault

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
)

type object = jsonmap.Object

// MutateList changes a list's page as Effect.List has it, and returns a copy.
// ListEmptyLast is not done here: it needs the link to a further page.
func (r *Rule) MutateList(page map[string]any) map[string]any {
	page = maps.Clone(page)
	value, _ := page["value"].([]any)
	switch value = slices.Clone(value); r.List {
	case ListEmpty:
		value = []any{}
		delete(page, "nextLink")
	case ListTruncate:
		value = value[:len(value)/2]
		delete(page, "nextLink")
	default:
		value = rearrange(r.List, value, r.rand)
	}
	page["value"] = value
	if r.List == ListNoValue {
		delete(page, "value")
		delete(page, "nextLink")
	}
	return page
}

func rearrange(how string, value []any, r *rand.Rand) []any {
	switch how {
	case ListShuffle:
		r.Shuffle(len(value), func(i, j int) { value[i], value[j] = value[j], value[i] })
	case ListRepeat:
		if len(value) > 0 {
			value = append(value, jsonmap.Clone(value[r.IntN(len(value))]))
		}
	case ListOdd:
		value = append(value, object{"instanceId": "", "id": "", "name": nil, "properties": nil}, object{"properties": object{}})
	}
	return value
}

// Omit leaves dotted paths out of a response's body, and out of each entry of a
// list. It changes the body.
func Omit(paths []string, body any) {
	for _, path := range paths {
		jsonmap.Remove(body, strings.Split(path, "."))
		for _, entry := range jsonmap.List(body, "value") {
			jsonmap.Remove(entry, strings.Split(path, "."))
		}
	}
}
