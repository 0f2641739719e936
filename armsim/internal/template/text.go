package template

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func concat(args []any) (any, error) {
	if err := count(args, 1, -1); err != nil {
		return nil, err
	}
	if _, lists := args[0].([]any); lists {
		return concatArrays(args)
	}
	var b strings.Builder
	for _, arg := range args {
		switch arg.(type) {
		case []any, map[string]any:
			return nil, invalid("Arguments must be all strings or all arrays.")
		}
		b.WriteString(written(arg))
	}
	return bounded(b.String())
}

func concatArrays(args []any) (any, error) {
	joined := []any{}
	for _, arg := range args {
		list, ok := arg.([]any)
		if !ok {
			return nil, invalid("Arguments must be all strings or all arrays.")
		}
		joined = append(joined, list...)
	}
	if len(joined) > maxItems {
		return nil, invalid("The result has more than %d elements.", maxItems)
	}
	return joined, nil
}

// format has of .NET's what templates use: places with and without a width of
// digits, as {0} and {0:D3}.
func format(args []any) (any, error) {
	if err := count(args, 1, -1); err != nil {
		return nil, err
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, invalid("The first argument must be a string.")
	}
	var b strings.Builder
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(strings.ReplaceAll(before, "}}", "}"))
		if !found {
			break
		}
		if strings.HasPrefix(rest, "{") {
			b.WriteByte('{')
			text = rest[1:]
			continue
		}
		place, after, closed := strings.Cut(rest, "}")
		one, err := formatted(place, closed, args[1:])
		if err != nil {
			return nil, err
		}
		b.WriteString(one)
		if text = after; b.Len() > maxText {
			break
		}
	}
	return bounded(b.String())
}

func formatted(place string, closed bool, args []any) (string, error) {
	number, how, has := strings.Cut(place, ":")
	i, err := strconv.Atoi(number)
	if err != nil || !closed || i < 0 || i >= len(args) {
		return "", invalid("The format has the place '{%s' for which there is no argument.", place)
	}
	if !has {
		return written(args[i]), nil
	}
	digits, err := strconv.Atoi(strings.TrimLeft(how, "Dd"))
	n, ok := args[i].(float64)
	if err != nil || !ok || digits < 0 || digits > 99 || !strings.HasPrefix(strings.ToUpper(how), "D") {
		return "", invalid("armsim does not simulate the format '%s'.", how)
	}
	return fmt.Sprintf("%0*d", digits, int64(n)), nil
}

func fromBase64(args []any) (any, error) {
	all, err := texts(args)
	if err == nil {
		err = count(args, 1, 1)
	}
	if err != nil {
		return nil, err
	}
	decoded, err := base64.StdEncoding.DecodeString(all[0])
	if err != nil {
		return nil, invalid("The argument is not base64.")
	}
	return string(decoded), nil
}

func replace(args []any) (any, error) {
	all, err := texts(args)
	if err == nil {
		err = count(args, 3, 3)
	}
	if err != nil {
		return nil, err
	}
	if all[1] == "" || len(all[0])+strings.Count(all[0], all[1])*len(all[2]) > maxText {
		return nil, invalid("The text to replace must not be empty, and the result not longer than %d characters.", maxText)
	}
	return strings.ReplaceAll(all[0], all[1], all[2]), nil
}

func split(args []any) (any, error) {
	if err := count(args, 2, 2); err != nil {
		return nil, err
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, invalid("The first argument must be a string.")
	}
	delimiters, ok := args[1].([]any)
	if !ok {
		delimiters = []any{args[1]}
	}
	by, err := texts(delimiters)
	if err != nil || slices.Contains(by, "") {
		return nil, invalid("Delimiters must be strings that are not empty.")
	}
	for _, d := range by[min(1, len(by)):] {
		text = strings.ReplaceAll(text, d, by[0])
	}
	parts := []any{}
	if len(by) == 0 {
		return append(parts, text), nil
	}
	for _, part := range strings.Split(text, by[0]) {
		parts = append(parts, part)
	}
	return parts, nil
}

func join(args []any) (any, error) {
	if err := count(args, 2, 2); err != nil {
		return nil, err
	}
	list, ok := args[0].([]any)
	delimiter, isText := args[1].(string)
	if !ok || !isText {
		return nil, invalid("An array and a string are expected.")
	}
	parts := make([]string, len(list))
	for i, one := range list {
		parts[i] = written(one)
	}
	return bounded(strings.Join(parts, delimiter))
}

func substring(args []any) (any, error) {
	if err := count(args, 2, 3); err != nil {
		return nil, err
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, invalid("The first argument must be a string.")
	}
	start, err := whole(args[1])
	if err != nil {
		return nil, err
	}
	n := len(text) - start
	if len(args) == 3 {
		if n, err = whole(args[2]); err != nil {
			return nil, err
		}
	}
	if start < 0 || n < 0 || start+n > len(text) {
		return nil, invalid("The index and length parameters must refer to a location within the string. The index parameter: '%d', the length parameter: '%d', the length of the string parameter: '%d'.", start, n, len(text))
	}
	return text[start : start+n], nil
}

func padLeft(args []any) (any, error) {
	if err := count(args, 2, 3); err != nil {
		return nil, err
	}
	width, err := whole(args[1])
	if err != nil || width > 9999 {
		return nil, invalid("The width must be an integer of up to 9999.")
	}
	by := " "
	if len(args) == 3 {
		by, _ = args[2].(string)
	}
	if len(by) != 1 {
		return nil, invalid("The padding must be one character.")
	}
	text := written(args[0])
	return strings.Repeat(by, max(0, width-len(text))) + text, nil
}

func indexOf(args []any) (any, error) {
	all, err := texts(args)
	if err == nil {
		err = count(args, 2, 2)
	}
	if err != nil {
		return nil, err
	}
	return float64(strings.Index(strings.ToLower(all[0]), strings.ToLower(all[1]))), nil
}
