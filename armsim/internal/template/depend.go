package template

import "strings"

// connect finds what each resource depends on, and refuses circles.
func (p *Plan) connect() error {
	for i, r := range p.Resources {
		for _, other := range p.Resources[:i] {
			if strings.EqualFold(other.ID, r.ID) {
				return invalid("The resource '%s' is defined multiple times in a template. Please see https://aka.ms/arm-template/#resources for usage details.", strings.TrimPrefix(r.ID, p.place.groupID()+"/providers/"))
			}
		}
	}
	for _, r := range p.Resources {
		for _, name := range r.raw {
			if err := p.depend(r, name); err != nil {
				return err
			}
		}
		p.dependByReference(r)
	}
	done := map[*Resource]int{}
	for _, r := range p.Resources {
		if err := r.circle(done); err != nil {
			return err
		}
	}
	return nil
}

// depend has the resource wait for what dependsOn names: a resource or a loop.
func (p *Plan) depend(r *Resource, name string) error {
	found := false
	for _, other := range p.Resources {
		if other != r && (other.called(name) || other.copy != nil && strings.EqualFold(other.copy.name, name)) {
			r.DependsOn = append(r.DependsOn, other)
			found = true
		}
	}
	for _, other := range p.notDeployed {
		found = found || other.called(name)
	}
	if !found {
		return invalid("The resource '%s' is not defined in the template. Please see https://aka.ms/arm-template for usage details.", name)
	}
	return nil
}

// dependByReference has the resource wait for those that it refers to by their
// names: by an ID it does not (Microsoft's page on the order of deployment).
func (p *Plan) dependByReference(r *Resource) {
	scope := p.scope.with(r.copy.scope())
	eachText(r.body, func(text string) {
		n, err := parse(text)
		if err != nil {
			return // refused before
		}
		n.each(func(part *node) {
			if !strings.EqualFold(part.name, "reference") || len(part.args) == 0 {
				return
			}
			v, err := scope.evaluate(part.args[0])
			name, _ := v.(string)
			if err != nil || name == "" || strings.HasPrefix(name, "/") {
				return
			}
			if other := p.Find(name); other != nil && other != r {
				r.DependsOn = append(r.DependsOn, other)
			}
		})
	})
}

// eachText calls visit for each expression in a value.
func eachText(v any, visit func(string)) {
	switch v := v.(type) {
	case string:
		if isExpression(v) {
			visit(v)
		}
	case []any:
		for _, element := range v {
			eachText(element, visit)
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			eachText(v[key], visit)
		}
	}
}

// circle refuses resources that depend on themselves. done is 1 while a resource
// is looked at, and then 2.
func (r *Resource) circle(done map[*Resource]int) error {
	switch done[r] {
	case 1:
		return invalid("Circular dependency detected on resource: '%s'. Please see https://aka.ms/arm-template/#resources for usage details.", r.ID)
	case 2:
		return nil
	}
	done[r] = 1
	for _, other := range r.DependsOn {
		if err := other.circle(done); err != nil {
			return err
		}
	}
	done[r] = 2
	return nil
}
