package migrate

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

type cronField struct {
	name     string
	min, max int
	names    []string // of the values from min on
}

var (
	minuteField = cronField{name: "minute", min: 0, max: 59}
	hourField   = cronField{name: "hour", min: 0, max: 23}
	domField    = cronField{name: "day of month", min: 1, max: 31}
	monthField  = cronField{name: "month", min: 1, max: 12, names: strings.Fields("jan feb mar apr may jun jul aug sep oct nov dec")}
	dowField    = cronField{name: "day of week", min: 0, max: 6, names: strings.Fields("sun mon tue wed thu fri sat")}
)

// aliases of gorhill/cronexpr, which the runner reads periods of docker+machine with.
var cronAliases = map[string]string{
	"@yearly": "0 0 0 1 1 * *", "@annually": "0 0 0 1 1 * *", "@monthly": "0 0 0 1 * * *",
	"@weekly": "0 0 0 * * 0 *", "@daily": "0 0 0 * * * *", "@hourly": "0 0 * * * * *",
}

// convertPeriod converts a period from cronexpr's seven fields (second, minute, hour,
// day of month, month, day of week, year; six and five leave out second, or second and
// year) to taskscaler's five. Remarks are what changes. The two differ in more than
// the number: cronexpr's steps count from the beginning of their range and taskscaler's
// from zero (Step.match in its internal/cron), cronexpr takes either of two restricted
// days and taskscaler both, and taskscaler takes neither L, W, # nor ?.
func convertPeriod(period string) (periods, remarks []string, err error) {
	p := strings.TrimSpace(period)
	if alias, ok := cronAliases[strings.ToLower(p)]; ok {
		p = alias
	}
	f := strings.Fields(strings.ToLower(p))
	switch len(f) {
	case 7:
	case 6: // cronexpr takes the sixth for the year
		f = append([]string{"0"}, f...)
	case 5:
		f = append(append([]string{"0"}, f...), "*")
	default:
		return nil, nil, fmt.Errorf("has %d fields where seven are expected", len(f))
	}
	if !isAny(f[6]) {
		return nil, nil, errors.New("is limited to years, which the autoscaler cannot be")
	}
	if !isAny(f[0]) {
		remarks = append(remarks, "seconds are dropped: it holds for the whole minute now, where it held for single seconds")
	}
	minute, hour, month := minuteField.convert, hourField.convert, monthField.convert
	parts := make([]string, 5)
	for i, convert := range []func(string) (string, error){minute, hour, domField.convert, month, dowField.convert} {
		if parts[i], err = convert(f[i+1]); err != nil {
			return nil, nil, err
		}
	}
	if parts[2] == "*" || parts[4] == "*" {
		return []string{strings.Join(parts, " ")}, remarks, nil
	}
	remarks = append(remarks, "two periods, as the old one held on either of its days and the autoscaler takes both")
	byDate, byDay := slices.Clone(parts), slices.Clone(parts)
	byDate[4], byDay[2] = "*", "*"
	return []string{strings.Join(byDate, " "), strings.Join(byDay, " ")}, remarks, nil
}

func isAny(s string) bool { return s == "*" || s == "?" }

func (f cronField) convert(s string) (string, error) {
	var out []string
	for _, part := range strings.Split(s, ",") {
		if part == "" {
			continue // as cronexpr does
		}
		if isAny(part) {
			return "*", nil
		}
		converted, err := f.part(part)
		if err != nil {
			return "", err
		}
		out = append(out, converted)
	}
	if len(out) == 0 {
		return "", fmt.Errorf("has an empty %s", f.name)
	}
	return strings.Join(out, ","), nil
}

func (f cronField) part(s string) (string, error) {
	span, stepText, stepped := strings.Cut(s, "/")
	fromText, toText, ranged := strings.Cut(span, "-")
	if span == "*" {
		fromText, toText = strconv.Itoa(f.min), strconv.Itoa(f.max)
	} else if !ranged {
		toText = fromText
	}
	from, err := f.number(fromText)
	if err != nil {
		return "", err
	}
	to, err := f.number(toText)
	switch {
	case err != nil:
		return "", err
	case from > to:
		return "", fmt.Errorf("has a %s range that ends before it begins", f.name)
	case !stepped && from == to:
		return strconv.Itoa(from), nil
	case !stepped:
		return fmt.Sprintf("%d-%d", from, to), nil
	case !ranged:
		to = f.max
	}
	step, err := strconv.Atoi(stepText)
	if err != nil || step < 1 || step > f.max {
		return "", fmt.Errorf("has a step in its %s that is not a number from 1 to %d", f.name, f.max)
	}
	var all []string
	for v := from; v <= to; v += step {
		all = append(all, strconv.Itoa(v))
	}
	return strings.Join(all, ","), nil
}

func (f cronField) number(s string) (int, error) {
	for i, name := range f.names {
		if len(s) >= 3 && strings.HasPrefix(longName(name), s) {
			return f.min + i, nil
		}
	}
	n, err := strconv.Atoi(s)
	if f.max == 6 && n == 7 { // Sunday
		n = 0
	}
	if err != nil || n < f.min || n > f.max || strings.HasPrefix(s, "+") {
		return 0, fmt.Errorf("has a %s that the autoscaler does not take", f.name)
	}
	return n, nil
}

var longNames = strings.Fields("january february march april may june july august september october november december " +
	"sunday monday tuesday wednesday thursday friday saturday")

func longName(short string) string {
	for _, name := range longNames {
		if strings.HasPrefix(name, short) {
			return name
		}
	}
	return short
}
