package template

import (
	"reflect"
	"slices"
	"strings"
)

// maxItems bounds arrays that functions make; Azure has the bound for range and copy (10,000 and 800).
const maxItems = 10_000

func length(args []any) (any, error) {
	if err := count(args, 1, 1); err != nil {
		return nil, err
	}
	switch v := args[0].(type) {
	case string:
		return float64(len([]rune(v))), nil
	case []any:
		return float64(len(v)), nil
	case map[string]any:
		return float64(len(v)), nil
	}
	return nil, invalid("A string, an array or an object is expected.")
}

func empty(args []any) (any, error) {
	if only(args) == nil {
		return true, count(args, 1, 1)
	}
	n, err := length(args)
	return n == float64(0), err
}

func contains(args []any) (any, error) {
	if err := count(args, 2, 2); err != nil {
		return nil, err
	}
	switch in := args[0].(type) {
	case string:
		return strings.Contains(in, written(args[1])), nil
	case []any:
		return holds(in, args[1]), nil
	case map[string]any:
		_, found := member(in, written(args[1]))
		return found, nil
	}
	return nil, invalid("The first argument must be a string, an array or an object.")
}

func holds(list []any, v any) bool {
	return slices.ContainsFunc(list, func(one any) bool { return reflect.DeepEqual(one, v) })
}

func first(args []any) (any, error) { return end(args, func(n int) int { return 0 }) }
func last(args []any) (any, error)  { return end(args, func(n int) int { return n - 1 }) }

func end(args []any, which func(n int) int) (any, error) {
	if err := count(args, 1, 1); err != nil {
		return nil, err
	}
	switch v := args[0].(type) {
	case string:
		if v == "" {
			return "", nil
		}
		runes := []rune(v)
		return string(runes[which(len(runes))]), nil
	case []any:
		if len(v) == 0 {
			return nil, nil
		}
		return v[which(len(v))], nil
	}
	return nil, invalid("A string or an array is expected.")
}

func takeFirst(args []any) (any, error) {
	return cut(args, func(n, at int) (int, int) { return 0, at })
}

func skipFirst(args []any) (any, error) {
	return cut(args, func(n, at int) (int, int) { return at, n })
}

func cut(args []any, part func(n, at int) (from, to int)) (any, error) {
	if err := count(args, 2, 2); err != nil {
		return nil, err
	}
	at, err := whole(args[1])
	if err != nil {
		return nil, err
	}
	switch v := args[0].(type) {
	case string:
		runes := []rune(v)
		from, to := part(len(runes), min(len(runes), max(0, at)))
		return string(runes[from:to]), nil
	case []any:
		from, to := part(len(v), min(len(v), max(0, at)))
		return slices.Clone(v[from:to]), nil
	}
	return nil, invalid("The first argument must be a string or an array.")
}

func createArray(args []any) (any, error) { return append([]any{}, args...), nil }

func createObject(args []any) (any, error) {
	if len(args)%2 != 0 {
		return nil, invalid("An even number of arguments is expected.")
	}
	o := map[string]any{}
	for i := 0; i < len(args); i += 2 {
		key, ok := args[i].(string)
		if !ok {
			return nil, invalid("Argument %d must be a string.", i+1)
		}
		o[key] = args[i+1]
	}
	return o, nil
}

func asArray(args []any) (any, error) {
	if err := count(args, 1, 1); err != nil {
		return nil, err
	}
	if list, ok := args[0].([]any); ok {
		return list, nil
	}
	return []any{args[0]}, nil
}

func union(args []any) (any, error) {
	if err := count(args, 2, -1); err != nil {
		return nil, err
	}
	if _, ok := args[0].(map[string]any); ok {
		return unionOfObjects(args)
	}
	joined := []any{}
	for _, arg := range args {
		list, ok := arg.([]any)
		if !ok {
			return nil, invalid("Arguments must be all arrays or all objects.")
		}
		for _, one := range list {
			if !holds(joined, one) {
				joined = append(joined, one)
			}
		}
	}
	return joined, nil
}

func unionOfObjects(args []any) (any, error) {
	joined := map[string]any{}
	for _, arg := range args {
		o, ok := arg.(map[string]any)
		if !ok {
			return nil, invalid("Arguments must be all arrays or all objects.")
		}
		for key, v := range o {
			joined[key] = v
		}
	}
	return joined, nil
}

func intersection(args []any) (any, error) {
	if err := count(args, 2, -1); err != nil {
		return nil, err
	}
	left, ok := args[0].([]any)
	for _, arg := range args[1:] {
		list, isList := arg.([]any)
		if !ok || !isList {
			return nil, invalid("Arguments must be arrays: armsim does not simulate those of objects.")
		}
		left = slices.DeleteFunc(slices.Clone(left), func(one any) bool { return !holds(list, one) })
	}
	return left, nil
}

func numbers(args []any) (any, error) {
	if err := count(args, 2, 2); err != nil {
		return nil, err
	}
	start, err := whole(args[0])
	if err != nil {
		return nil, err
	}
	n, err := whole(args[1])
	if err != nil || n < 0 || n > maxItems {
		return nil, invalid("The number must be an integer from 0 to %d.", maxItems)
	}
	list := make([]any, n)
	for i := range list {
		list[i] = float64(start + i)
	}
	return list, nil
}
