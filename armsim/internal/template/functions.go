package template

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// pure are the functions that need their arguments alone.
var pure = map[string]Function{
	"concat": concat, "format": format, "uniquestring": ofTexts(1, uniqueString), "guid": ofTexts(1, guid),
	"tolower": ofText(strings.ToLower), "toupper": ofText(strings.ToUpper), "trim": ofText(strings.TrimSpace),
	"base64": ofText(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }), "base64tostring": fromBase64,
	"startswith": compare(strings.HasPrefix), "endswith": compare(strings.HasSuffix),
	"replace": replace, "split": split, "join": join, "substring": substring, "padleft": padLeft, "indexof": indexOf,
	"string": asText, "int": asInt, "bool": asBool, "json": fromJSON,

	"length": length, "empty": empty, "contains": contains, "first": first, "last": last, "take": takeFirst, "skip": skipFirst,
	"createarray": createArray, "createobject": createObject, "array": asArray, "union": union, "intersection": intersection, "range": numbers,

	"equals": equals, "not": not, "and": all, "or": some, "true": constant(true), "false": constant(false), "null": constant(nil), "coalesce": coalesce,
	"less": ordered(func(c int) bool { return c < 0 }), "lessorequals": ordered(func(c int) bool { return c <= 0 }),
	"greater": ordered(func(c int) bool { return c > 0 }), "greaterorequals": ordered(func(c int) bool { return c >= 0 }),

	"add": arithmetic(func(a, b float64) float64 { return a + b }), "sub": arithmetic(func(a, b float64) float64 { return a - b }),
	"mul": arithmetic(func(a, b float64) float64 { return a * b }), "div": division(func(a, b float64) float64 { return math.Trunc(a / b) }),
	"mod": division(math.Mod), "min": extreme(math.Min), "max": extreme(math.Max),
}

// count checks how many arguments there are; most -1 is any number.
func count(args []any, least, most int) error {
	if len(args) < least || most >= 0 && len(args) > most {
		return invalid("%d arguments were given where it takes %s.", len(args), span(least, most))
	}
	return nil
}

func span(least, most int) string {
	switch {
	case least == most:
		return strconv.Itoa(least)
	case most < 0:
		return fmt.Sprintf("%d or more", least)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

func texts(args []any) ([]string, error) {
	all := make([]string, len(args))
	for i, arg := range args {
		s, ok := arg.(string)
		if !ok {
			return nil, invalid("Argument %d must be a string.", i+1)
		}
		all[i] = s
	}
	return all, nil
}

func whole(v any) (int, error) {
	if n, ok := v.(float64); ok && n == math.Trunc(n) && math.Abs(n) < 1<<31 {
		return int(n), nil
	}
	return 0, invalid("An integer is expected, not '%s'.", written(v))
}

// ofTexts is a function of any number of strings.
func ofTexts(least int, f func([]string) string) Function {
	return func(args []any) (any, error) {
		if err := count(args, least, -1); err != nil {
			return nil, err
		}
		all, err := texts(args)
		if err != nil {
			return nil, err
		}
		return f(all), nil
	}
}

func ofText(f func(string) string) Function {
	return func(args []any) (any, error) {
		if err := count(args, 1, 1); err != nil {
			return nil, err
		}
		return ofTexts(1, func(all []string) string { return f(all[0]) })(args)
	}
}

// compare compares two strings in any case.
func compare(f func(s, with string) bool) Function {
	return func(args []any) (any, error) {
		if err := count(args, 2, 2); err != nil {
			return nil, err
		}
		all, err := texts(args)
		if err != nil {
			return nil, err
		}
		return f(strings.ToLower(all[0]), strings.ToLower(all[1])), nil
	}
}

func constant(v any) Function {
	return func(args []any) (any, error) { return v, count(args, 0, 0) }
}

// written is a value as concat and string write it.
func written(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case nil:
		return ""
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // of JSON values there is none
	}
	return string(encoded)
}

// maxText bounds what one function makes, so that no template takes the memory.
const maxText = 1 << 20

func bounded(s string) (any, error) {
	if len(s) > maxText {
		return nil, invalid("The result is longer than %d characters.", maxText)
	}
	return s, nil
}

func sortedKeys(o map[string]any) []string { return slices.Sorted(maps.Keys(o)) }
