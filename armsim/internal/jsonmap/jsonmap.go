// Package jsonmap reads and changes JSON values that are kept as maps.
// Resources are kept as the client sent them, so that fields the simulator
// knows nothing of survive, as they do on Azure. It imports nothing of this
// module.
package jsonmap

import "strings"

// Object is a JSON object.
type Object = map[string]any

// At returns the value at a dotted path, nil where there is none.
func At(v any, path string) any {
	for more := true; more; {
		o, ok := v.(Object)
		if !ok {
			return nil
		}
		var key string
		key, path, more = strings.Cut(path, ".")
		v = o[key]
	}
	return v
}

// Text is the string at a dotted path, empty where there is none.
func Text(v any, path string) string {
	s, _ := At(v, path).(string)
	return s
}

// Bool is the boolean at a dotted path, false where there is none.
func Bool(v any, path string) bool {
	b, _ := At(v, path).(bool)
	return b
}

// List is the array at a dotted path, nil where there is none.
func List(v any, path string) []any {
	l, _ := At(v, path).([]any)
	return l
}

// Ensure returns the object at a dotted path, making what is missing.
func Ensure(o Object, path string) Object {
	for more := true; more; {
		var key string
		key, path, more = strings.Cut(path, ".")
		next, ok := o[key].(Object)
		if !ok {
			next = Object{}
			o[key] = next
		}
		o = next
	}
	return o
}

// SetDefault sets a key that is missing.
func SetDefault(o Object, key string, value any) {
	if _, ok := o[key]; !ok {
		o[key] = value
	}
}

// DropNulls removes the members of objects, at any depth, that are null. Elements of arrays
// stay.
func DropNulls(v any) {
	switch v := v.(type) {
	case Object:
		for key, value := range v {
			if value == nil {
				delete(v, key)
			}
			DropNulls(value)
		}
	case []any:
		for _, element := range v {
			DropNulls(element)
		}
	}
}

// Merge lays patch over base as a scale set's PATCH and PUT do: objects are
// merged, everything else is replaced, null changes nothing. It changes base.
func Merge(base, patch Object) {
	for key, value := range patch {
		from, isObject := value.(Object)
		into, wasObject := base[key].(Object)
		switch {
		case value == nil:
		case isObject && wasObject:
			Merge(into, from)
		default:
			base[key] = Clone(value)
		}
	}
}

// Remove removes what stands at the path, in all elements of arrays on the way.
func Remove(v any, path []string) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			Remove(element, path)
		}
	case Object:
		if len(path) == 1 {
			delete(v, path[0])
			return
		}
		Remove(v[path[0]], path[1:])
	}
}

// Clone copies a JSON value deeply.
func Clone(v any) any {
	switch v := v.(type) {
	case Object:
		c := make(Object, len(v))
		for key, value := range v {
			c[key] = Clone(value)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, value := range v {
			c[i] = Clone(value)
		}
		return c
	}
	return v
}

// CloneObject copies an object deeply.
func CloneObject(o Object) Object { return Clone(o).(Object) }
