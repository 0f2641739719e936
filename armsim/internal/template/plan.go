package template

import (
	"slices"
	"strings"
)

// Place is where a template is deployed.
type Place struct {
	SubscriptionID string
	Group          string // its name
}

func (p Place) groupID() string {
	return "/subscriptions/" + p.SubscriptionID + "/resourceGroups/" + p.Group
}

// Plan is a template with its parameters: the resources that it deploys.
type Plan struct {
	Parameters []Parameter // in the order of their names
	Resources  []*Resource // in the order of the template

	place   Place
	scope   Scope // without what is known only when resources are there
	outputs map[string]any

	notDeployed []*Resource // whose condition is not met
}

// Resource is one that a template deploys.
type Resource struct {
	ID         string
	Type       string // as Microsoft.Network/virtualNetworks/subnets
	Name       string // with its parents', as vnet/subnet
	APIVersion string
	DependsOn  []*Resource

	body map[string]any // as the template has it
	copy *copyLoop      // that it comes from, if any
	raw  []string       // the template's dependsOn, evaluated
}

// nested is the type of a template within another.
const nested = "Microsoft.Resources/deployments"

// notSimulated are parts of a template that would change what it means.
var notSimulated = []string{"functions", "definitions", "languageVersion", "imports", "extensions"}

// New reads a template with the parameters that a client gives, each an object
// with its value. surroundings are the functions that depend on where the
// template is deployed. The error is an *Error.
func New(doc, given map[string]any, place Place, surroundings Scope) (*Plan, error) {
	for _, key := range []string{"$schema", "contentVersion", "resources"} {
		if doc[key] == nil {
			return nil, invalid("Required property '%s' not found in JSON. Path ''", key)
		}
	}
	for _, key := range notSimulated {
		if doc[key] != nil {
			return nil, invalid("armsim does not simulate '%s' of a template", key)
		}
	}
	resources, ok := doc["resources"].([]any)
	if !ok {
		return nil, invalid("The template resources must be an array: armsim does not simulate symbolic names")
	}
	p := &Plan{place: place, outputs: objectOf(doc["outputs"])}
	p.scope = surroundings.with(Scope{"resourceid": p.resourceID, "subscriptionresourceid": p.subscriptionResourceID, "reference": misplaced("reference"), "copyindex": misplaced("copyIndex")})
	if err := p.scope.check(doc); err != nil {
		return nil, err
	}
	if err := p.takeParameters(objectOf(doc["parameters"]), given); err != nil {
		return nil, err
	}
	if err := p.takeVariables(objectOf(doc["variables"])); err != nil {
		return nil, err
	}
	if err := p.expand(resources, parent{}); err != nil {
		return nil, err
	}
	return p, p.connect()
}

func objectOf(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

// misplaced is a function that may not stand where it does.
func misplaced(name string) Function {
	return func([]any) (any, error) {
		return nil, invalid("The template function '%s' is not expected at this location. Please see https://aka.ms/arm-template-expressions for usage details.", name)
	}
}

// check refuses functions that are unknown, wherever in the template they stand,
// before anything is deployed.
func (s Scope) check(v any) error {
	switch v := v.(type) {
	case string:
		return s.checkText(v)
	case []any:
		for _, element := range v {
			if err := s.check(element); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			if key == "template" && innerScope(v) {
				continue // checked when it is deployed
			}
			if err := s.checkText(key); err != nil {
				return err
			}
			if err := s.check(v[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s Scope) checkText(text string) error {
	if !isExpression(text) {
		return nil
	}
	n, err := parse(text)
	if err != nil {
		return err
	}
	n.each(func(part *node) {
		name := strings.ToLower(part.name)
		if name == "" || name == "if" || name == "parameters" || name == "variables" || err != nil {
			return
		}
		_, err = s.function(part.name)
	})
	return err
}

// innerScope reports whether the properties are of a nested deployment whose
// template sees nothing of the one around it.
func innerScope(properties map[string]any) bool {
	scope, _ := objectOf(properties["expressionEvaluationOptions"])["scope"].(string)
	return strings.EqualFold(scope, "inner")
}

// Find finds a resource by its ID, by its type and name, or by its name alone,
// in any case; nil: there is none.
func (p *Plan) Find(reference string) *Resource {
	for _, r := range p.Resources {
		if r.called(reference) {
			return r
		}
	}
	return nil
}

func (r *Resource) called(reference string) bool {
	id := strings.Trim(reference, "/")
	_, short, _ := strings.Cut(r.ID, "/providers/")
	return slices.ContainsFunc([]string{strings.Trim(r.ID, "/"), short, r.Type + "/" + r.Name, r.Name}, func(name string) bool {
		return strings.EqualFold(name, id)
	})
}

// Body evaluates what the resource's provider is sent. runtime are the functions
// that show what is deployed, as reference.
func (p *Plan) Body(r *Resource, runtime Scope) (map[string]any, error) {
	raw := map[string]any{}
	for key, value := range r.body {
		if !slices.Contains(managers, key) {
			raw[key] = value
		}
	}
	properties := objectOf(raw["properties"])
	var inner any
	if strings.EqualFold(r.Type, nested) && innerScope(properties) {
		inner = properties["template"]
		raw["properties"] = without(properties, "template")
	}
	v, err := p.scope.with(runtime).with(r.copy.scope()).Value(raw)
	if err != nil {
		return nil, err
	}
	body := objectOf(v)
	if inner != nil {
		objectOf(body["properties"])["template"] = inner
	}
	return body, nil
}

// managers are a resource's members that are Resource Manager's own.
var managers = []string{"name", "type", "apiVersion", "dependsOn", "condition", "copy", "scope", "resources", "comments", "metadata", "resourceGroup", "subscriptionId"}

func without(o map[string]any, key string) map[string]any {
	rest := make(map[string]any, len(o))
	for k, v := range o {
		if k != key {
			rest[k] = v
		}
	}
	return rest
}

// Output is a value that a template returns.
type Output struct {
	Name  string
	Type  string
	Value any // nil where it is secure
}

// Outputs evaluates what the template returns, in the order of their names.
func (p *Plan) Outputs(runtime Scope) ([]Output, error) {
	var all []Output
	scope := p.scope.with(runtime)
	for _, name := range sortedKeys(p.outputs) {
		output := objectOf(p.outputs[name])
		kind, _ := output["type"].(string)
		met, err := scope.condition(output)
		if err != nil {
			return nil, err
		}
		if !met {
			continue
		}
		v, err := scope.output(name, output)
		if err != nil {
			return nil, err
		}
		if isSecure(kind) {
			v = nil
		}
		all = append(all, Output{Name: name, Type: kind, Value: v})
	}
	return all, nil
}

// condition reports whether what has it is deployed, or returned.
func (s Scope) condition(of map[string]any) (bool, error) {
	given, has := of["condition"]
	if !has {
		return true, nil
	}
	v, err := s.Value(given)
	if err != nil {
		return false, err
	}
	met, ok := v.(bool)
	if !ok {
		return false, invalid("The condition must be a boolean, not '%s'", written(v))
	}
	return met, nil
}
