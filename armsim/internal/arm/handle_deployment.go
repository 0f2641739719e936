package arm

import (
	"fmt"
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/template"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Deployments of templates in a group. Their shapes are those that azure-cli's
// test recorded (test_create_flexible_vmss_by_default); those of failures are of
// Microsoft's pages on deployment errors, where nothing else is named.

// deployment finds the one of the path.
func (c *call) deployment() (*world.Group, *world.Deployment, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, nil, p
	}
	d := g.Deployment(c.param("deployment"))
	if d == nil {
		return g, nil, byGateway(azhttp.NewProblem(http.StatusNotFound, "DeploymentNotFound", "Deployment '%s' could not be found.", c.param("deployment")))
	}
	return g, d, nil
}

// ofDeployment handles a call on a deployment that is there.
func ofDeployment(show func(c *call, d *world.Deployment) (*response, *problem)) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) {
		_, d, p := c.deployment()
		if p != nil {
			return nil, p
		}
		return show(c, d)
	}
}

func getDeployment(c *call) (*response, *problem) {
	return ofDeployment(func(c *call, d *world.Deployment) (*response, *problem) {
		return &response{Status: http.StatusOK, Body: c.deploymentBody(d)}, nil
	})(c)
}

func headDeployment(c *call) (*response, *problem) {
	if _, _, p := c.deployment(); p != nil {
		return &response{Status: http.StatusNotFound, Header: http.Header{"X-Ms-Failure-Cause": {"gateway"}}}, nil
	}
	return &response{Status: http.StatusNoContent}, nil
}

func listDeployments(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	return page(c.pager, g.Deployments(), func(d *world.Deployment) string { return strings.ToLower(d.Name) }, c.deploymentBody)
}

// putDeployment begins a deployment once its template is found to be right, and no provider
// refuses it.
func putDeployment(c *call) (*response, *problem) {
	g, d, p := c.deployment()
	switch {
	case g == nil:
		return nil, p
	case g.Deleting != nil:
		return nil, groupBeingDeleted(g.Name)
	case d != nil && d.Active():
		return nil, deploymentActive(d)
	}
	status := http.StatusOK
	if d == nil {
		status = http.StatusCreated
	}
	plan, p := c.deploymentPlan(g)
	if p != nil {
		return nil, p
	}
	r := newRun(c, g, plan)
	d = g.Deploy(c.param("deployment"), r.begin)
	d.Correlation = c.correlation
	d.Template, _ = jsonmap.At(c.body, "properties.template").(object)
	d.Shown = c.shownProperties(plan)
	url := fmt.Sprintf("https://%s/subscriptions/%s/resourcegroups/%s/providers/Microsoft.Resources/deployments/%s/operationStatuses/%s?api-version=%s",
		c.request.Host, c.front.config.SubscriptionID, g.Name, d.Name, d.Operation().ID, c.apiVersion)
	return &response{Status: status, Header: http.Header{"Azure-Asyncoperation": {url}}, Body: c.deploymentBody(d)}, nil
}

// validateDeployment does all of a deployment that comes before its first
// resource.
func validateDeployment(c *call) (*response, *problem) {
	g, p := c.group()
	if p != nil {
		return nil, p
	}
	plan, p := c.deploymentPlan(g)
	if p != nil {
		return nil, p
	}
	properties := c.shownProperties(plan)
	properties["provisioningState"] = world.StateSucceeded
	properties["timestamp"], properties["duration"] = zulu(c.front.now()), "PT0S"
	properties["correlationId"] = c.correlation
	validated := []any{}
	for _, r := range plan.Resources {
		validated = append(validated, object{"id": r.ID})
	}
	properties["validatedResources"] = validated
	name := c.param("deployment")
	return &response{Status: http.StatusOK, Body: object{
		"id": g.ID + "/providers/Microsoft.Resources/deployments/" + name, "name": name, "type": "Microsoft.Resources/deployments", "properties": properties,
	}}, nil
}

func exportDeployment(c *call) (*response, *problem) {
	return ofDeployment(func(_ *call, d *world.Deployment) (*response, *problem) {
		return &response{Status: http.StatusOK, Body: object{"template": d.Template}}, nil
	})(c)
}

func listDeploymentOperations(c *call) (*response, *problem) {
	return ofDeployment(func(c *call, d *world.Deployment) (*response, *problem) {
		var all []named
		for n, step := range d.Steps {
			all = append(all, named{sortable(n), func() object { return c.stepBody(d, step) }})
		}
		return c.listNamed(all)
	})(c)
}

func getDeploymentOperation(c *call) (*response, *problem) {
	return ofDeployment(func(c *call, d *world.Deployment) (*response, *problem) {
		for _, step := range d.Steps {
			if strings.EqualFold(step.ID, c.param("step")) {
				return &response{Status: http.StatusOK, Body: c.stepBody(d, step)}, nil
			}
		}
		return nil, azhttp.NewProblem(http.StatusNotFound, "DeploymentOperationNotFound",
			"Deployment operation '%s' could not be found in deployment '%s'.", c.param("step"), d.Name)
	})(c)
}

func getDeploymentStatus(c *call) (*response, *problem) {
	return ofDeployment(func(c *call, d *world.Deployment) (*response, *problem) {
		if d.Operation().ID != c.param("operation") {
			return nil, operationNotFound(c.param("operation"))
		}
		body := object{"status": d.State()}
		if d.Error != nil {
			body["error"] = d.Error
		}
		return &response{Status: http.StatusOK, Body: body}, nil
	})(c)
}

// dropSecureParameters removes the values of a template's secure parameters,
// also of templates within.
func dropSecureParameters(v any) {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			dropSecureParameters(element)
		}
	case object:
		if doc, ok := v["template"].(object); ok {
			for _, name := range template.Secrets(doc) {
				dropParameter(v["parameters"], name)
				dropParameter(doc["parameters"], name)
			}
		}
		for _, member := range v {
			dropSecureParameters(member)
		}
	}
}

// dropParameter removes the values of a parameter, in any case of its name.
func dropParameter(parameters any, name string) {
	all, _ := parameters.(object)
	for key, one := range all {
		if o, ok := one.(object); ok && strings.EqualFold(key, name) {
			delete(o, "value")
			delete(o, "defaultValue")
		}
	}
}

func deploymentActive(d *world.Deployment) *problem {
	return azhttp.NewProblem(http.StatusConflict, "DeploymentActive",
		"Unable to edit or replace deployment '%s': previous deployment from '%s' is still active (expiration time is '%s'). Please see https://aka.ms/arm-deploy for usage details.",
		d.Name, d.Started.UTC().Format("1/2/2006 3:04:05 PM"), d.Started.AddDate(0, 0, 7).UTC().Format("1/2/2006 3:04:05 PM"))
}

func invalidTemplate(err error) *problem {
	return azhttp.NewProblem(http.StatusBadRequest, "InvalidTemplate", "Deployment template validation failed: '%s'.", err)
}
