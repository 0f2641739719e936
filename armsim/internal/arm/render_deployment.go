package arm

import (
	"encoding/json"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/template"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// lasted writes a duration as Resource Manager does.
func lasted(d time.Duration) string {
	text := "PT"
	if h := int(d.Hours()); h > 0 {
		text += strconv.Itoa(h) + "H"
	}
	if m := int(d.Minutes()) % 60; m > 0 {
		text += strconv.Itoa(m) + "M"
	}
	return text + strconv.FormatFloat((d%time.Minute).Seconds(), 'f', -1, 64) + "S"
}

// typeName is how a response writes the type of a parameter or an output.
func typeName(kind string) string {
	for _, known := range []string{"String", "SecureString", "Int", "Bool", "Object", "SecureObject", "Array"} {
		if strings.EqualFold(kind, known) {
			return known
		}
	}
	return kind
}

// camelCase writes a name as responses do, which write "VMSS" as "vmss" (recorded
// by azure-cli's test) and, by the rule of their serializer, "VMName" as "vmName".
func camelCase(name string) string {
	runes := []rune(name)
	for i := range runes {
		if !unicode.IsUpper(runes[i]) || i > 0 && i+1 < len(runes) && !unicode.IsUpper(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(runes[i])
	}
	return string(runes)
}

// shownProperties are those that a deployment has from its beginning.
func (c *call) shownProperties(plan *template.Plan) object {
	parameters := object{}
	for _, one := range plan.Parameters {
		shown := object{"type": typeName(one.Type)}
		if !one.Secure {
			shown["value"] = one.Value
		}
		parameters[camelCase(one.Name)] = shown
	}
	return object{
		"templateHash": templateHash(jsonmap.At(c.body, "properties.template")), "parameters": parameters, "mode": "Incremental",
		"providers": providersOf(plan, c.front.config.Location), "dependencies": dependenciesOf(plan),
	}
}

// templateHash is a number that tells templates apart. Azure's way to it is not
// known.
func templateHash(doc any) string {
	encoded, err := json.Marshal(doc)
	if err != nil {
		return "0" // of what was JSON there is none
	}
	h := fnv.New64a()
	_, _ = h.Write(encoded) // never fails
	return strconv.FormatUint(h.Sum64(), 10)
}

func providersOf(plan *template.Plan, location string) []any {
	var order []string
	kinds := map[string][]any{}
	var seen []string
	for _, r := range plan.Resources {
		namespace, kind, _ := strings.Cut(r.Type, "/")
		if slices.Contains(seen, strings.ToLower(r.Type)) {
			continue
		}
		seen = append(seen, strings.ToLower(r.Type))
		if kinds[namespace] == nil {
			order = append(order, namespace)
		}
		kinds[namespace] = append(kinds[namespace], object{"resourceType": kind, "locations": []any{location}})
	}
	all := []any{}
	for _, namespace := range order {
		all = append(all, object{"namespace": namespace, "resourceTypes": kinds[namespace]})
	}
	return all
}

func dependenciesOf(plan *template.Plan) []any {
	all := []any{}
	for _, r := range plan.Resources {
		var on []any
		for _, other := range r.DependsOn {
			on = append(on, dependency(other))
		}
		if on != nil {
			one := dependency(r)
			one["dependsOn"] = on
			all = append(all, one)
		}
	}
	return all
}

func dependency(r *template.Resource) object {
	return object{"id": r.ID, "resourceType": r.Type, "resourceName": r.Name}
}

func (c *call) deploymentBody(d *world.Deployment) object {
	p := jsonmap.CloneObject(d.Shown)
	changed := d.Changed(c.front.now())
	p["provisioningState"], p["timestamp"], p["duration"] = d.State(), zulu(changed), lasted(changed.Sub(d.Started))
	p["correlationId"] = d.Correlation
	switch {
	case d.Error != nil:
		p["error"] = jsonmap.Clone(d.Error)
	case d.Outputs != nil:
		p["outputs"] = jsonmap.Clone(d.Outputs)
	}
	if !d.Active() {
		p["outputResources"] = outputResources(d)
	}
	return object{"id": d.ID, "name": d.Name, "type": "Microsoft.Resources/deployments", "properties": p}
}

// outputResources are those that were deployed, in the order of their IDs.
func outputResources(d *world.Deployment) []any {
	var ids []string
	for _, step := range d.Steps {
		if step.Error == nil {
			ids = append(ids, step.Resource)
		}
	}
	slices.Sort(ids)
	all := []any{}
	for _, id := range ids {
		all = append(all, object{"id": id})
	}
	return all
}

// stepBody is a step as a deployment operation.
func (c *call) stepBody(d *world.Deployment, step *world.DeploymentStep) object {
	until := step.Ended
	if until.IsZero() {
		until = c.front.now()
	}
	p := object{
		"provisioningOperation": "Create", "provisioningState": step.State(), "timestamp": zulu(until), "duration": lasted(until.Sub(step.Began)),
		"trackingId": tag(d.Operation().ID + step.Resource), "statusCode": strings.ReplaceAll(http.StatusText(step.Status), " ", ""),
		"targetResource": object{"id": step.Resource, "resourceType": step.Type, "resourceName": step.Name},
	}
	if step.Error != nil {
		p["statusMessage"] = object{"error": jsonmap.Clone(step.Error)}
		if step.Error["code"] == "ResourceDeploymentFailure" {
			p["statusMessage"] = object{"status": world.StateFailed, "error": jsonmap.Clone(step.Error)}
		}
	}
	return object{"id": d.ID + "/operations/" + step.ID, "operationId": step.ID, "properties": p}
}
