package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/template"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// deploymentPlan reads the template of the request, and checks what Resource Manager checks
// before it deploys anything.
func (c *call) deploymentPlan(g *world.Group) (*template.Plan, *problem) {
	properties, _ := c.body["properties"].(object)
	for _, key := range []string{"templateLink", "parametersLink", "onErrorDeployment"} {
		if properties[key] != nil {
			return nil, deploymentNotSimulated("'" + key + "' of a deployment")
		}
	}
	doc, ok := properties["template"].(object)
	if !ok {
		return nil, azhttp.NewProblem(http.StatusBadRequest, "InvalidDeploymentTemplate", "The request must have a template or a template link.")
	}
	switch mode := jsonmap.Text(properties, "mode"); {
	case strings.EqualFold(mode, "Complete"):
		return nil, deploymentNotSimulated("mode Complete of a deployment")
	case !strings.EqualFold(mode, "Incremental"):
		return nil, invalidRequestContent(errMode(mode))
	}
	given, _ := properties["parameters"].(object)
	place := template.Place{SubscriptionID: c.front.config.SubscriptionID, Group: g.Name}
	plan, err := template.New(doc, given, place, c.surroundings(g))
	if err != nil {
		return nil, invalidTemplate(err)
	}
	if p := c.preflight(plan); p != nil {
		return nil, p
	}
	return plan, c.askProviders(plan)
}

type errMode string

func (mode errMode) Error() string {
	return "the mode of a deployment must be Incremental or Complete, not '" + string(mode) + "'"
}

func deploymentNotSimulated(what string) *problem {
	return azhttp.NewProblem(http.StatusNotImplemented, "NotImplemented", "armsim does not simulate %s; see docs/reference/armsim-differences.md.", what)
}

// preflight refuses resources that cannot be written: of a type that is not
// simulated, to a group that is not there (recording 38), or without the right to.
func (c *call) preflight(plan *template.Plan) *problem {
	var refused []string
	for _, r := range plan.Resources {
		sub := c.within(put, r.ID, r.APIVersion, nil)
		if sub.route == nil {
			return deploymentNotSimulated("the resource type " + r.Type + " in a template")
		}
		if p := sub.checkVersion(); p != nil {
			return p
		}
		if name := sub.param("group"); name != "" && c.world.Group(name) == nil {
			return groupNotFound(name)
		}
		if (gatekeeper{sub}).permitted() {
			continue
		}
		refused = append(refused, "Authorization failed for template resource '"+r.Name+"' of type '"+r.Type+"'. The client '"+c.client+"' with object id '"+c.principal+
			"' does not have permission to perform action '"+sub.route.action+"' at scope '"+r.ID+"'.")
	}
	// The words and the status of one are reported (azure-search-openai-demo#242),
	// the words of several, too (Azure-Landing-Zones#4197).
	switch len(refused) {
	case 0:
		return nil
	case 1:
		return azhttp.NewProblem(http.StatusBadRequest, "InvalidTemplateDeployment", "The template deployment failed with error: '%s'.", refused[0])
	}
	return azhttp.NewProblem(http.StatusBadRequest, "InvalidTemplateDeployment", "The template deployment failed with multiple errors: '%s'.", strings.Join(refused, ":"))
}

// surroundings are the functions of the template language that show where a
// template is deployed.
func (c *call) surroundings(g *world.Group) template.Scope {
	config := &c.front.config
	shows := func(o object) template.Function {
		return func([]any) (any, error) { return jsonmap.Clone(o), nil }
	}
	group := c.render.group(g)
	return template.Scope{
		"resourcegroup": shows(group),
		"subscription": shows(object{"id": "/subscriptions/" + config.SubscriptionID, "subscriptionId": config.SubscriptionID,
			"tenantId": config.TenantID, "displayName": "armsim"}),
		"deployment": shows(object{"name": c.param("deployment"), "properties": object{"mode": "Incremental", "provisioningState": world.StateAccepted}}),
		"providers":  c.providers,
	}
}

// providers is the function of a provider's types and their versions, the newest
// one first.
func (c *call) providers(args []any) (any, error) {
	var names []string
	for _, arg := range args {
		name, _ := arg.(string)
		names = append(names, name)
	}
	if len(names) == 0 || c.world.Providers.Find(names[0]) == nil {
		return nil, &template.Error{Message: "There is no such provider."}
	}
	provider := renderProvider(c, c.world.Providers.Find(names[0]))
	if len(names) == 1 {
		return provider, nil
	}
	for _, one := range jsonmap.List(provider, "resourceTypes") {
		if strings.EqualFold(jsonmap.Text(one, "resourceType"), names[1]) {
			return c.supported(names[0], one.(object)), nil
		}
	}
	return nil, &template.Error{Message: "The provider has no type '" + names[1] + "'."}
}

// supported is a provider's type with the versions that the simulated cloud has,
// which may be behind.
func (c *call) supported(provider string, kind object) object {
	newest := c.front.config.newestVersion(provider)
	if newest == "" {
		return kind
	}
	until := knownVersions[strings.ToLower(provider)].until(newest)
	slices.Reverse(until)
	kind["apiVersions"] = texts(until)
	return kind
}
