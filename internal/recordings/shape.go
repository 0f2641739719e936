package recordings

import (
	"slices"
	"strings"
)

// Shape is the JSON type at each path of a value. Members of all elements of
// an array share the path "array[]"; the types of a path that has several are
// joined with "|". Objects and arrays stand in it only where they are empty, as
// the paths of their members imply them. The whole value is "$".
type Shape map[string]string

// ShapeOf derives the shape of a JSON value; nil has none.
func ShapeOf(v any) Shape {
	if v == nil {
		return nil
	}
	s := Shape{}
	Walk(v, func(path, kind string, leaf bool) {
		if leaf {
			s[path] = join(s[path], kind)
		}
	})
	return s
}

func join(kinds, kind string) string {
	if kinds == "" {
		return kind
	}
	all := append(strings.Split(kinds, "|"), kind)
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "|")
}

// Walk visits each path of a JSON value, with its type and whether it has no
// members.
func Walk(v any, visit func(path, kind string, leaf bool)) { walk(v, "$", visit) }

func walk(v any, path string, visit func(path, kind string, leaf bool)) {
	visit(path, kindOf(v), empty(v))
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			walk(member, below(path, key), visit)
		}
	case []any:
		for _, element := range v {
			walk(element, path+"[]", visit)
		}
	}
}

// The members of these are named by users, not by Azure.
var freeKeys = []string{"tags", "userAssignedIdentities"}

func below(path, key string) string {
	if path == "$" {
		return key
	}
	if parent := path[strings.LastIndexByte(path, '.')+1:]; slices.Contains(freeKeys, parent) {
		key = "{key}"
	}
	return path + "." + key
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case map[string]any:
		return "object"
	case []any:
		return "array"
	}
	return "number"
}

func empty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return true
}
