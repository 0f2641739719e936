package arm

import (
	"regexp"
	"slices"
	"strings"
)

// filter holds the conditions of a $filter, all of which must hold: what a
// property, in lower case, must be, in any case.
type filter map[string]string

var (
	equation  = regexp.MustCompile(`(?i)^\(?\s*([a-z/]+)\s+eq\s+'([^']*)'\s*\)?$`)
	predicate = regexp.MustCompile(`(?i)^([a-z]+)\(\s*(?:'([^']*)')?\s*\)$`)
	and       = regexp.MustCompile(`(?i)\s+and\s+`)
)

// filter reads the request's $filter, which may be about these properties alone.
func (c *call) filter(properties ...string) (filter, *problem) {
	f, text := filter{}, strings.TrimSpace(c.query.get("$filter"))
	if text == "" {
		return f, nil
	}
	for _, part := range and.Split(text, -1) {
		m := equation.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			m = predicate.FindStringSubmatch(strings.TrimSpace(part))
		}
		if m == nil || !slices.Contains(properties, strings.ToLower(m[1])) {
			return nil, filterNotSimulated(text)
		}
		f[strings.ToLower(m[1])] = m[2]
	}
	return f, nil
}

func (f filter) has(property string) bool {
	_, ok := f[property]
	return ok
}

// matches reports whether the value is what the filter demands of the property.
func (f filter) matches(property, value string) bool {
	want, ok := f[property]
	return !ok || strings.EqualFold(want, value)
}

// matchesTags reports whether tags are what the filter demands.
func (f filter) matchesTags(tags any) bool {
	if !f.has("tagname") {
		return true
	}
	o, _ := tags.(object)
	value, ok := o[f["tagname"]].(string)
	return ok && f.matches("tagvalue", value)
}
