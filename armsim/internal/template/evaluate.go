package template

import "strings"

// Function is a function of the template language. Arguments and value are JSON
// values; numbers are float64.
type Function func(args []any) (any, error)

// Scope is where expressions are evaluated: the functions there are besides those
// that need nothing but their arguments, by name in lower case.
type Scope map[string]Function

// with is the scope with further functions.
func (s Scope) with(more Scope) Scope {
	both := Scope{}
	for name, f := range s {
		both[name] = f
	}
	for name, f := range more {
		both[name] = f
	}
	return both
}

// Value evaluates a value of a template with all that it holds. It changes
// nothing of v. Members whose value is null are left out: to a resource that is
// the same.
func (s Scope) Value(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return s.text(v)
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			one, err := s.Value(element)
			if err != nil {
				return nil, err
			}
			list[i] = one
		}
		return list, nil
	case map[string]any:
		return s.object(v)
	case valueLoop:
		return s.loop(v)
	}
	return v, nil
}

func (s Scope) object(v map[string]any) (any, error) {
	loops, err := valueLoops(v)
	if err != nil {
		return nil, err
	}
	o := make(map[string]any, len(v))
	for _, loop := range loops {
		if o[loop.name], err = s.loop(loop); err != nil {
			return nil, err
		}
	}
	for _, key := range sortedKeys(v) {
		if key == "copy" && loops != nil {
			continue
		}
		name, err := s.key(key)
		if err != nil {
			return nil, err
		}
		one, err := s.Value(v[key])
		if err != nil {
			return nil, err
		}
		if one != nil {
			o[name] = one
		}
	}
	return o, nil
}

// key is a member's name, which may be an expression: those of tags and of
// identities are.
func (s Scope) key(key string) (string, error) {
	v, err := s.text(key)
	if err != nil {
		return "", err
	}
	name, ok := v.(string)
	if !ok {
		return "", invalid("The name '%s' of a property is not a string", key)
	}
	return name, nil
}

// text is the value of a string, which may be an expression.
func (s Scope) text(v string) (any, error) {
	if !isExpression(v) {
		if strings.HasPrefix(v, "[[") && strings.HasSuffix(v, "]") {
			return v[1:], nil
		}
		return v, nil
	}
	n, err := parse(v)
	if err != nil {
		return nil, err
	}
	return s.evaluate(n)
}

func (s Scope) evaluate(n *node) (any, error) {
	switch {
	case n.of != nil:
		return s.take(n)
	case n.name == "":
		return n.literal, nil
	case strings.EqualFold(n.name, "if"):
		return s.choose(n)
	}
	f, err := s.function(n.name)
	if err != nil {
		return nil, err
	}
	args := make([]any, len(n.args))
	for i, arg := range n.args {
		if args[i], err = s.evaluate(arg); err != nil {
			return nil, err
		}
	}
	v, err := f(args)
	if err != nil {
		return nil, invalid("Unable to evaluate the template language function '%s'. %s", n.name, err)
	}
	return v, nil
}

func (s Scope) function(name string) (Function, error) {
	if f := s[strings.ToLower(name)]; f != nil {
		return f, nil
	}
	if f := pure[strings.ToLower(name)]; f != nil {
		return f, nil
	}
	return nil, unknownFunction(name)
}

// unknownFunction has Azure's words (vscode-azurearmtools#531); it is for those
// that Azure knows, too.
func unknownFunction(name string) error {
	return invalid("The template function '%s' is not valid. Please see https://aka.ms/arm-template-expressions for usage details. armsim knows those of docs/reference/armsim-differences.md", name)
}

// choose evaluates of if() what the condition says, not the other one.
func (s Scope) choose(n *node) (any, error) {
	if len(n.args) != 3 {
		return nil, invalid("Unable to evaluate the template language function 'if'. It takes 3 arguments, not %d", len(n.args))
	}
	condition, err := s.evaluate(n.args[0])
	if err != nil {
		return nil, err
	}
	met, ok := condition.(bool)
	if !ok {
		return nil, invalid("Unable to evaluate the template language function 'if'. The first argument must be a boolean")
	}
	if met {
		return s.evaluate(n.args[1])
	}
	return s.evaluate(n.args[2])
}

// take is a member of an object, in any case, or an element of an array.
func (s Scope) take(n *node) (any, error) {
	of, err := s.evaluate(n.of)
	if err != nil {
		return nil, err
	}
	key, err := s.evaluate(n.key)
	if err != nil {
		return nil, err
	}
	switch of := of.(type) {
	case map[string]any:
		name, _ := key.(string)
		if v, ok := member(of, name); ok {
			return v, nil
		}
		return nil, invalid("The language expression property '%v' doesn't exist, available properties are '%s'", key, strings.Join(sortedKeys(of), ", "))
	case []any:
		if i, ok := key.(float64); ok && i >= 0 && int(i) < len(of) {
			return of[int(i)], nil
		}
		return nil, invalid("The language expression property array index '%v' is out of bounds", key)
	}
	return nil, invalid("The language expression property '%v' can't be evaluated, the value is neither an object nor an array", key)
}

func member(o map[string]any, name string) (any, bool) {
	if v, ok := o[name]; ok {
		return v, true
	}
	for _, key := range sortedKeys(o) {
		if strings.EqualFold(key, name) {
			return o[key], true
		}
	}
	return nil, false
}
