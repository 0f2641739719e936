package armops

import (
	"slices"
	"strings"
)

// Match returns the name of the operation that a request is of, empty where it is
// none of the table. Azure reads paths in any case.
func Match(method, path string) string {
	parts := split(path)
	for _, t := range templates {
		if t.method == method && t.matches(parts) {
			return t.name
		}
	}
	return ""
}

type template struct {
	name, method string
	parts        []string // empty: anything fits; many: any number of anything
}

// many stands for a resource's types and names, as many as it has: {resource*}.
const many = "*"

var templates = makeTemplates()

func makeTemplates() []template {
	var made []template
	for _, o := range append(All(), Tools()...) {
		t := template{name: o.Name, method: o.Method, parts: split(o.Path)}
		for n, part := range t.parts {
			switch {
			case strings.HasSuffix(part, "*}"):
				t.parts[n] = many
			case strings.HasPrefix(part, "{"):
				t.parts[n] = ""
			}
		}
		made = append(made, t)
	}
	return made
}

func (t template) matches(parts []string) bool {
	n := slices.Index(t.parts, many)
	if n < 0 {
		return fits(t.parts, parts)
	}
	after := len(parts) - len(t.parts[n+1:])
	return after > n && fits(t.parts[:n], parts[:n]) && fits(t.parts[n+1:], parts[after:])
}

func fits(wanted, parts []string) bool {
	if len(parts) != len(wanted) {
		return false
	}
	for n, part := range wanted {
		if part != "" && !strings.EqualFold(part, parts[n]) {
			return false
		}
	}
	return true
}

func split(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }
