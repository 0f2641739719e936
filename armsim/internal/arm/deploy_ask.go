package arm

import (
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/template"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Before a deployment begins, and when it is validated, Resource Manager asks the providers
// of its resources (recording 38). Here Compute is asked for scale sets and virtual machines;
// it writes and charges nothing then.

// askProviders refuses a template with a resource that its provider would refuse. What
// Resource Manager itself checks is not wrapped (recording 38).
func (c *call) askProviders(plan *template.Plan) *problem {
	var refused []problem
	for _, r := range plan.Resources {
		shows := false // what others are once they are deployed, which cannot be known before
		body, err := plan.Body(r, template.Scope{"reference": func([]any) (any, error) {
			shows = true
			return nil, &template.Error{Message: "It is not deployed yet."}
		}})
		switch {
		case shows:
			continue
		case err != nil:
			return wrongExpression(r, err)
		}
		sub := c.within(put, r.ID, r.APIVersion, body)
		sub.deploying = plan
		p := sub.ask()
		switch {
		case p == nil:
		case p.Header.Get("X-Ms-Failure-Cause") == "gateway":
			return p
		default:
			refused = append(refused, *p)
		}
	}
	if refused == nil {
		return nil
	}
	p := byGateway(azhttp.NewProblem(http.StatusBadRequest, "InvalidTemplateDeployment",
		"The template deployment '%s' is not valid according to the validation procedure. The tracking id is '%s'. See inner errors for details.",
		c.param("deployment"), tag(c.correlation)))
	p.Details = refused
	return p
}

// ask is what the provider would refuse the request for, without writing.
func (c *call) ask() *problem {
	questions := map[string]func(*world.Group) *problem{
		"VirtualMachineScaleSets_CreateOrUpdate": c.askScaleSet, "VirtualMachines_CreateOrUpdate": c.askMachine,
	}
	question := questions[c.route.operation]
	if question == nil {
		return nil
	}
	g, p := c.group()
	if p != nil || g.Deleting != nil {
		return p
	}
	return question(g)
}

func (c *call) askScaleSet(g *world.Group) *problem {
	set := g.ScaleSet(c.param("scaleSet"))
	switch {
	case set == nil:
		draft, capacity, p := c.newScaleSet(g)
		if p != nil {
			return p
		}
		return c.validation(draft.Admit(capacity))
	case set.State == world.StateDeleting:
		return nil
	}
	_, capacity, p := c.merged(set)
	if p != nil {
		return p
	}
	return c.validation(set.Admit(capacity))
}

func (c *call) askMachine(g *world.Group) *problem {
	if i, p := c.machine(); p == nil {
		return c.checkMachineChange(i)
	}
	if p := c.checkNewMachine(g); p != nil {
		return p
	}
	return c.validation(c.admitMachine())
}

// validation is a failure of the world as it shows in the validation of a template: a quota
// has another code and more words there (recording 38).
func (c *call) validation(f *world.Failure) *problem {
	p := conflict(f)
	if p != nil && p.Code == "OperationNotAllowed" {
		p.Code = "QuotaExceeded"
		p.Message += " Submit a request for Quota increase at https://aka.ms/ProdportalCRP/?#create/Microsoft.Support by specifying parameters listed in the ‘Details’ section for deployment to succeed. Please read more about quota limits at https://docs.microsoft.com/en-us/azure/azure-supportability/regional-quota-requests."
	}
	return p
}

// deploys reports whether the deployment that asks makes the resource, or has a template
// within that may make it.
func (c *call) deploys(id string) bool {
	return c.deploying != nil && slices.ContainsFunc(c.deploying.Resources, func(r *template.Resource) bool {
		return strings.EqualFold(r.Type, "Microsoft.Resources/deployments") || world.Within(r.ID, id) || world.Within(id, r.ID)
	})
}
