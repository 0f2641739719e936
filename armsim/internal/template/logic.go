package template

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Logic and comparison.

func equals(args []any) (any, error) {
	if err := count(args, 2, 2); err != nil {
		return nil, err
	}
	return reflect.DeepEqual(args[0], args[1]), nil
}

func not(args []any) (any, error) {
	if err := count(args, 1, 1); err != nil {
		return nil, err
	}
	b, ok := args[0].(bool)
	if !ok {
		return nil, invalid("A boolean is expected.")
	}
	return !b, nil
}

func booleans(args []any) ([]bool, error) {
	list := make([]bool, len(args))
	for i, arg := range args {
		b, ok := arg.(bool)
		if !ok {
			return nil, invalid("All arguments must be booleans.")
		}
		list[i] = b
	}
	return list, count(args, 2, -1)
}

func all(args []any) (any, error) {
	list, err := booleans(args)
	return !slices.Contains(list, false), err
}

func some(args []any) (any, error) {
	list, err := booleans(args)
	return slices.Contains(list, true), err
}

func coalesce(args []any) (any, error) {
	for _, arg := range args {
		if arg != nil {
			return arg, nil
		}
	}
	return nil, count(args, 1, -1)
}

// ordered compares two strings or two numbers.
func ordered(holds func(int) bool) Function {
	return func(args []any) (any, error) {
		if err := count(args, 2, 2); err != nil {
			return nil, err
		}
		if a, ok := args[0].(string); ok {
			if b, ok := args[1].(string); ok {
				return holds(strings.Compare(a, b)), nil
			}
		}
		a, err := whole(args[0])
		if err != nil {
			return nil, err
		}
		b, err := whole(args[1])
		return holds(a - b), err
	}
}

func arithmetic(f func(a, b float64) float64) Function {
	return func(args []any) (any, error) {
		if err := count(args, 2, 2); err != nil {
			return nil, err
		}
		a, err := whole(args[0])
		if err != nil {
			return nil, err
		}
		b, err := whole(args[1])
		if err != nil {
			return nil, err
		}
		return f(float64(a), float64(b)), nil
	}
}

func division(f func(a, b float64) float64) Function {
	return func(args []any) (any, error) {
		if len(args) == 2 && args[1] == float64(0) {
			return nil, invalid("Division by zero.")
		}
		return arithmetic(f)(args)
	}
}

func extreme(f func(a, b float64) float64) Function {
	return func(args []any) (any, error) {
		if list, ok := only(args).([]any); ok {
			args = list
		}
		if err := count(args, 1, -1); err != nil {
			return nil, err
		}
		found, err := whole(args[0])
		for _, arg := range args {
			var n int
			if n, err = whole(arg); err != nil {
				break
			}
			found = int(f(float64(found), float64(n)))
		}
		return float64(found), err
	}
}

// only is the argument where there is one.
func only(args []any) any {
	if len(args) == 1 {
		return args[0]
	}
	return nil
}

// Conversions.

func asText(args []any) (any, error) {
	if err := count(args, 1, 1); err != nil {
		return nil, err
	}
	return bounded(written(args[0]))
}

func asInt(args []any) (any, error) {
	if err := count(args, 1, 1); err != nil {
		return nil, err
	}
	if n, err := strconv.ParseInt(written(args[0]), 10, 53); err == nil {
		return float64(n), nil
	}
	return nil, invalid("'%s' is no integer.", written(args[0]))
}

func asBool(args []any) (any, error) {
	if err := count(args, 1, 1); err != nil {
		return nil, err
	}
	switch strings.ToLower(written(args[0])) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return nil, invalid("'%s' is no boolean.", written(args[0]))
}

func fromJSON(args []any) (any, error) {
	all, err := texts(args)
	if err == nil {
		err = count(args, 1, 1)
	}
	if err != nil {
		return nil, err
	}
	var v any
	if err := json.Unmarshal([]byte(all[0]), &v); err != nil {
		return nil, invalid("The argument is not JSON.")
	}
	return v, nil
}
