package template

import (
	"reflect"
	"slices"
	"strings"
)

// Parameter is a template's, with its value.
type Parameter struct {
	Name   string
	Type   string
	Value  any
	Secure bool // never to be shown
}

func isSecure(kind string) bool { return strings.HasPrefix(strings.ToLower(kind), "secure") }

// Secrets are the names of the parameters that a template declares as secure.
func Secrets(doc map[string]any) []string {
	var names []string
	declared := objectOf(doc["parameters"])
	for _, name := range sortedKeys(declared) {
		if kind, _ := objectOf(declared[name])["type"].(string); isSecure(kind) {
			names = append(names, name)
		}
	}
	return names
}

// takeParameters gives each declared parameter its value.
func (p *Plan) takeParameters(declared, given map[string]any) error {
	names := sortedKeys(declared)
	for _, name := range sortedKeys(given) {
		if !slices.ContainsFunc(names, func(one string) bool { return strings.EqualFold(one, name) }) {
			return invalid("The following parameters were supplied, but do not correspond to any parameters defined in the template: '%s'. The parameters defined in the template are: '%s'. Please see https://aka.ms/arm-pass-parameter-values for usage details.", name, strings.Join(names, ", "))
		}
	}
	values := map[string]any{}
	scope := p.scope.with(Scope{"parameters": lookUp("parameter", values)})
	for _, name := range inOrder(declared) {
		declaration := objectOf(declared[name])
		v, err := scope.parameter(name, declaration, given)
		if err != nil {
			return err
		}
		kind, _ := declaration["type"].(string)
		values[name] = v
		p.Parameters = append(p.Parameters, Parameter{Name: name, Type: kind, Value: v, Secure: isSecure(kind)})
	}
	slices.SortFunc(p.Parameters, func(a, b Parameter) int { return strings.Compare(a.Name, b.Name) })
	p.scope = scope
	return nil
}

// inOrder are the names such that defaults that are expressions come last: they
// may name parameters.
func inOrder(declared map[string]any) []string {
	names := sortedKeys(declared)
	slices.SortStableFunc(names, func(a, b string) int { return rank(declared[a]) - rank(declared[b]) })
	return names
}

func rank(declaration any) int {
	if s, ok := objectOf(declaration)["defaultValue"].(string); ok && isExpression(s) {
		return 1
	}
	return 0
}

func (s Scope) parameter(name string, declaration, given map[string]any) (any, error) {
	v, err := s.given(name, declaration, given)
	if err != nil {
		return nil, err
	}
	kind, _ := declaration["type"].(string)
	if !fits(kind, v) {
		return nil, invalid("Template parameter JToken type is not valid. Expected '%s'. Actual '%s'. Parameter: '%s'. Please see https://aka.ms/arm-create-parameter-file for usage details.", kind, kindOf(v), name)
	}
	allowed, _ := declaration["allowedValues"].([]any)
	if allowed != nil && !slices.ContainsFunc(allowed, func(one any) bool { return reflect.DeepEqual(one, v) }) {
		return nil, invalid("The provided value for the template parameter '%s' is not valid. The value '%s' is not part of the allowed value(s): '%s'.", name, shown(kind, v), strings.Join(writtenAll(allowed), ","))
	}
	return v, nil
}

func (s Scope) given(name string, declaration, given map[string]any) (any, error) {
	if argument, ok := member(given, name); ok {
		if objectOf(argument)["reference"] != nil {
			return nil, invalid("armsim does not simulate the reference to a key vault of the template parameter '%s'", name)
		}
		if v, ok := objectOf(argument)["value"]; ok {
			return v, nil
		}
	}
	value, ok := declaration["defaultValue"]
	if !ok {
		return nil, invalid("The value for the template parameter '%s' is not provided. Please see https://aka.ms/arm-pass-parameter-values for usage details.", name)
	}
	return s.Value(value)
}

func shown(kind string, v any) string {
	if isSecure(kind) {
		return "(secure)"
	}
	return written(v)
}

func writtenAll(list []any) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = written(v)
	}
	return all
}

// kindOf is the type of a value, as a parameter's is called.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case float64:
		return "int"
	case bool:
		return "bool"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	}
	return "null"
}

func fits(kind string, v any) bool {
	kind = strings.ToLower(kind)
	return kindOf(v) == strings.TrimPrefix(kind, "secure") || v == nil
}

// takeVariables makes variables known, each evaluated when it is asked for.
func (p *Plan) takeVariables(given map[string]any) error {
	declared, err := withLoops(given)
	if err != nil {
		return err
	}
	values, busy := map[string]any{}, map[string]bool{}
	var variable Function
	scope := p.scope.with(Scope{"variables": func(args []any) (any, error) { return variable(args) }})
	variable = func(args []any) (any, error) {
		name, err := nameOf(args)
		if err != nil {
			return nil, err
		}
		raw, ok := member(declared, name)
		key := strings.ToLower(name)
		switch {
		case !ok:
			return nil, invalid("The template variable '%s' is not found. Please see https://aka.ms/arm-syntax-variables for usage details.", name)
		case busy[key]:
			return nil, invalid("The template variable '%s' refers to itself", name)
		}
		if v, ok := values[key]; ok {
			return v, nil
		}
		busy[key] = true
		defer delete(busy, key)
		v, err := scope.Value(raw)
		values[key] = v
		return v, err
	}
	p.scope = scope
	for _, name := range sortedKeys(declared) {
		if _, err := variable([]any{name}); err != nil {
			return invalid("The template variable '%s' is not valid: %s", name, err)
		}
	}
	return nil
}

func nameOf(args []any) (string, error) {
	name, ok := only(args).(string)
	if !ok {
		return "", invalid("A name is expected.")
	}
	return name, nil
}

func lookUp(what string, values map[string]any) Function {
	return func(args []any) (any, error) {
		name, err := nameOf(args)
		if err != nil {
			return nil, err
		}
		v, ok := member(values, name)
		if !ok {
			return nil, invalid("The template %s '%s' is not found. Please see https://aka.ms/arm-syntax-parameters for usage details.", what, name)
		}
		return v, nil
	}
}
