package armops

import "strings"

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
	parts        []string // empty: anything fits
}

var templates = makeTemplates()

func makeTemplates() []template {
	var made []template
	for _, o := range append(All(), Tools()...) {
		t := template{name: o.Name, method: o.Method, parts: split(o.Path)}
		for n, part := range t.parts {
			if strings.HasPrefix(part, "{") {
				t.parts[n] = ""
			}
		}
		made = append(made, t)
	}
	return made
}

func (t template) matches(parts []string) bool {
	if len(parts) != len(t.parts) {
		return false
	}
	for n, part := range t.parts {
		if part != "" && !strings.EqualFold(part, parts[n]) {
			return false
		}
	}
	return true
}

func split(path string) []string { return strings.Split(strings.Trim(path, "/"), "/") }
