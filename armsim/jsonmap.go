package armsim

import "strings"

// object is a JSON object. Resources are kept as the client sent them, so that
// fields the simulator knows nothing of survive, as they do on Azure.
type object = map[string]any

// at returns what stands at a dotted path, nil where there is nothing.
func at(v any, path string) any {
	for _, key := range strings.Split(path, ".") {
		o, ok := v.(object)
		if !ok {
			return nil
		}
		v = o[key]
	}
	return v
}

func text(v any, path string) string {
	s, _ := at(v, path).(string)
	return s
}

func flag(v any, path string) bool {
	b, _ := at(v, path).(bool)
	return b
}

func list(v any, path string) []any {
	l, _ := at(v, path).([]any)
	return l
}

// ensure returns the object at a dotted path, making what is missing.
func ensure(o object, path string) object {
	for _, key := range strings.Split(path, ".") {
		next, ok := o[key].(object)
		if !ok {
			next = object{}
			o[key] = next
		}
		o = next
	}
	return o
}

// setDefault sets a key that is missing.
func setDefault(o object, key string, value any) {
	if _, ok := o[key]; !ok {
		o[key] = value
	}
}

// merge lays patch over base as a scale set's PATCH and PUT do: objects are
// merged, everything else is replaced, null removes. It changes base.
func merge(base, patch object) {
	for key, value := range patch {
		from, isObject := value.(object)
		into, wasObject := base[key].(object)
		switch {
		case value == nil:
			delete(base, key)
		case isObject && wasObject:
			merge(into, from)
		default:
			base[key] = clone(value)
		}
	}
}

// clone copies a JSON value deeply.
func clone(v any) any {
	switch v := v.(type) {
	case object:
		c := make(object, len(v))
		for key, value := range v {
			c[key] = clone(value)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, value := range v {
			c[i] = clone(value)
		}
		return c
	}
	return v
}

func cloneObject(o object) object { return clone(o).(object) }
