package template

import "strings"

// Loops of resources, and of what is an array then: properties, variables and outputs
// (Microsoft's pages on iteration in ARM templates, read 2026-11).

// maxCopies is Azure's limit of the turns of one loop.
const maxCopies = 800

// copyLoop is the loop that makes a resource or an element, and which turn of it.
type copyLoop struct {
	name  string
	index int
}

// loops are the turns of the resource's loop; one nil where it has none.
func (p *Plan) loops(body map[string]any) ([]*copyLoop, error) {
	loop, ok := body["copy"].(map[string]any)
	if !ok {
		return []*copyLoop{nil}, nil
	}
	name, _ := loop["name"].(string)
	n, err := p.scope.turns(name, loop["count"])
	if err != nil {
		return nil, err
	}
	loops := make([]*copyLoop, n)
	for i := range loops {
		loops[i] = &copyLoop{name, i}
	}
	return loops, nil
}

// turns is how many turns a loop has.
func (s Scope) turns(name string, count any) (int, error) {
	v, err := s.with(Scope{"reference": misplaced("reference")}).Value(count)
	if err != nil {
		return 0, err
	}
	n, err := whole(v)
	if err != nil || n < 0 || n > maxCopies || name == "" {
		return 0, invalid("The template resource loop '%s' is not valid: it needs a name, and a count from 0 to %d", name, maxCopies)
	}
	return n, nil
}

// scope has copyIndex, which takes the loop's name and an offset.
func (c *copyLoop) scope() Scope {
	if c == nil {
		return nil
	}
	return Scope{"copyindex": func(args []any) (any, error) {
		if name, ok := firstOf(args).(string); ok {
			if !strings.EqualFold(name, c.name) {
				return nil, invalid("The loop '%s' is not that of the resource.", name)
			}
			args = args[1:]
		}
		offset := 0
		if err := count(args, 0, 1); err != nil {
			return nil, err
		}
		if len(args) == 1 {
			var err error
			if offset, err = whole(args[0]); err != nil {
				return nil, err
			}
		}
		return float64(c.index + offset), nil
	}}
}

func firstOf(args []any) any {
	if len(args) == 0 {
		return nil
	}
	return args[0]
}

// valueLoop makes an array: a property, a variable, or an output.
type valueLoop struct {
	name         string
	count, input any
	unnamed      bool // copyIndex() without a name is this loop's turn, not the resource's
}

// valueLoops are those that an object has; none where its member is no array, as that of a
// resource.
func valueLoops(o map[string]any) ([]valueLoop, error) {
	list, _ := o["copy"].([]any)
	var loops []valueLoop
	for _, one := range list {
		loop := objectOf(one)
		name, _ := loop["name"].(string)
		input, given := loop["input"]
		_, twice := o[name]
		switch {
		case name == "" || loop["count"] == nil || !given:
			return nil, invalid("The copy of '%s' is not valid: it needs a name, a count and an input", name)
		case twice:
			return nil, invalid("The copy of '%s' is not valid: its object has a property of this name", name)
		case hasLoop(input):
			return nil, invalid("armsim does not simulate a copy within the copy of '%s'", name)
		}
		loops = append(loops, valueLoop{name: name, count: loop["count"], input: input})
	}
	return loops, nil
}

func hasLoop(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			if hasLoop(element) {
				return true
			}
		}
	case map[string]any:
		for key, member := range v {
			if _, loops := member.([]any); loops && key == "copy" || hasLoop(member) {
				return true
			}
		}
	}
	return false
}

// withLoops are variables with those that loops make.
func withLoops(declared map[string]any) (map[string]any, error) {
	loops, err := valueLoops(declared)
	if err != nil || loops == nil {
		return declared, err
	}
	all := without(declared, "copy")
	for _, loop := range loops {
		all[loop.name] = loop
	}
	return all, nil
}

// loop is the array that a loop makes.
func (s Scope) loop(l valueLoop) (any, error) {
	n, err := s.turns(l.name, l.count)
	if err != nil {
		return nil, err
	}
	list := make([]any, n)
	for i := range list {
		if list[i], err = s.inTurn(l, i).Value(l.input); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// inTurn has copyIndex of the loop's name, and of loops around it.
func (s Scope) inTurn(l valueLoop, index int) Scope {
	around, own := s["copyindex"], (&copyLoop{l.name, index}).scope()["copyindex"]
	return s.with(Scope{"copyindex": func(args []any) (any, error) {
		name, named := firstOf(args).(string)
		if around == nil || named && strings.EqualFold(name, l.name) || !named && l.unnamed {
			return own(args)
		}
		return around(args)
	}})
}

// output is the value of an output, which may be a loop's.
func (s Scope) output(name string, output map[string]any) (any, error) {
	loop, loops := output["copy"].(map[string]any)
	switch {
	case !loops:
		return s.Value(output["value"])
	case hasLoop(loop["input"]):
		return nil, invalid("armsim does not simulate a copy within the copy of '%s'", name)
	}
	return s.loop(valueLoop{name: name, count: loop["count"], input: loop["input"], unnamed: true})
}
