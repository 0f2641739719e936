package template

import "strings"

// parent is what child resources are written into; the zero value is none.
type parent struct{ kind, name string }

// expand adds the resources with their loops and children, in the order of the
// template.
func (p *Plan) expand(resources []any, of parent) error {
	for _, one := range resources {
		body, ok := one.(map[string]any)
		if !ok {
			return invalid("A template resource must be an object")
		}
		loops, err := p.loops(body)
		if err != nil {
			return err
		}
		for _, loop := range loops {
			if err := p.add(body, loop, of); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds a resource and its children, if its condition is met.
func (p *Plan) add(body map[string]any, loop *copyLoop, of parent) error {
	r := &Resource{body: body, copy: loop}
	scope := p.scope.with(loop.scope())
	for key, into := range map[string]*string{"type": &r.Type, "name": &r.Name, "apiVersion": &r.APIVersion} {
		v, err := scope.Value(body[key])
		if err != nil {
			return err
		}
		text, _ := v.(string)
		if text == "" {
			return invalid("The template resource '%s' is not valid: the property '%s' must be a string that is not empty", r.Name, key)
		}
		*into = text
	}
	if of.kind != "" {
		r.Type, r.Name = of.kind+"/"+r.Type, of.name+"/"+r.Name
	}
	met, err := scope.condition(body)
	if err != nil {
		return err
	}
	if err := p.identify(r, scope); err != nil {
		return err
	}
	if err := r.takeDependencies(scope); err != nil {
		return err
	}
	if met {
		p.Resources = append(p.Resources, r)
	}
	p.left(r, met)
	children, _ := body["resources"].([]any)
	return p.expand(children, parent{r.Type, r.Name})
}

// left remembers a resource that is not deployed: others may depend on it.
func (p *Plan) left(r *Resource, met bool) {
	if !met {
		p.notDeployed = append(p.notDeployed, r)
	}
}

func (r *Resource) takeDependencies(scope Scope) error {
	v, err := scope.Value(r.body["dependsOn"])
	if err != nil {
		return err
	}
	list, _ := v.([]any)
	for _, one := range list {
		name, ok := one.(string)
		if !ok {
			return invalid("The template resource '%s' is not valid: dependsOn must be strings", r.Name)
		}
		r.raw = append(r.raw, name)
	}
	return nil
}

// identify makes the resource's ID of its type, its name and its scope.
func (p *Plan) identify(r *Resource, scope Scope) error {
	rest, err := interleave(r.Type, strings.Split(r.Name, "/"))
	if err != nil {
		return invalid("The template resource '%s' for type '%s' has incorrect segment lengths. A nested resource type must have identical number of segments as its resource name. A root resource type must have segment length one greater than its resource name. Please see https://aka.ms/arm-template/#resources for usage details.", r.Name, r.Type)
	}
	v, err := scope.Value(r.body["scope"])
	if err != nil {
		return err
	}
	at, err := p.groupOf(r, scope)
	if err != nil {
		return err
	}
	switch text, _ := v.(string); {
	case strings.HasPrefix(text, "/"):
		at = strings.TrimSuffix(text, "/")
	case text != "":
		kind, name, ok := splitReference(text)
		if !ok {
			return invalid("The scope '%s' of the template resource '%s' is not valid", text, r.Name)
		}
		below, err := interleave(kind, name)
		if err != nil {
			return err
		}
		at += below
	}
	r.ID = at + rest
	return nil
}

// groupOf is the ID of the group that the resource is deployed to: a template within may
// name another one.
func (p *Plan) groupOf(r *Resource, scope Scope) (string, error) {
	if !strings.EqualFold(r.Type, nested) {
		return p.place.groupID(), nil
	}
	place := p.place
	for key, into := range map[string]*string{"subscriptionId": &place.SubscriptionID, "resourceGroup": &place.Group} {
		v, err := scope.Value(r.body[key])
		if err != nil {
			return "", err
		}
		if text, _ := v.(string); text != "" {
			*into = text
		}
	}
	if !strings.EqualFold(place.SubscriptionID, p.place.SubscriptionID) {
		return "", invalid("armsim does not simulate the deployment '%s' to another subscription", r.Name)
	}
	return place.groupID(), nil
}

// interleave joins a type and names to what an ID has from "providers" on.
func interleave(kind string, names []string) (string, error) {
	types := strings.Split(kind, "/")
	if len(types) != len(names)+1 {
		return "", invalid("The type '%s' and the name '%s' do not fit", kind, strings.Join(names, "/"))
	}
	id := "/providers/" + types[0]
	for i, name := range names {
		id += "/" + types[i+1] + "/" + name
	}
	return id, nil
}

// splitReference takes apart "Microsoft.Network/virtualNetworks/vnet".
func splitReference(text string) (kind string, names []string, ok bool) {
	parts := strings.Split(text, "/")
	if len(parts) < 3 || len(parts)%2 == 0 {
		return "", nil, false
	}
	kind = parts[0]
	for i := 1; i < len(parts); i += 2 {
		kind += "/" + parts[i]
		names = append(names, parts[i+1])
	}
	return kind, names, true
}

// resourceID is the template language's function: an optional subscription and
// an optional group, a type, and a name for each of its segments.
func (p *Plan) resourceID(args []any) (any, error) {
	all, err := texts(args)
	if err != nil {
		return nil, err
	}
	at := 0
	for at < len(all) && !strings.Contains(all[at], "/") {
		at++
	}
	if at >= len(all) || at > 2 {
		return nil, invalid("Unable to find the resource type among the arguments.")
	}
	place := p.place
	if at > 0 {
		place.Group = all[at-1]
	}
	if at == 2 {
		place.SubscriptionID = all[0]
	}
	rest, err := interleave(all[at], all[at+1:])
	if err != nil {
		return nil, err
	}
	return place.groupID() + rest, nil
}

func (p *Plan) subscriptionResourceID(args []any) (any, error) {
	all, err := texts(args)
	if err != nil {
		return nil, err
	}
	subscription := p.place.SubscriptionID
	if len(all) > 0 && !strings.Contains(all[0], "/") {
		subscription, all = all[0], all[1:]
	}
	if len(all) == 0 {
		return nil, invalid("A resource type is expected.")
	}
	rest, err := interleave(all[0], all[1:])
	return "/subscriptions/" + subscription + rest, err
}
