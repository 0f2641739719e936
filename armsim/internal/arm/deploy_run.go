package arm

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/template"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// pollEvery is how often Resource Manager asks for what it waits for. On Azure it
// is up to some ten seconds.
const pollEvery = time.Second

// run deploys a plan: each resource once those before it are there. What does not
// depend on a failed one is still deployed.
type run struct {
	call  *call // the client's request
	group *world.Group
	plan  *template.Plan

	deployment *world.Deployment
	steps      map[*template.Resource]*world.DeploymentStep
	skipped    map[*template.Resource]bool
}

func newRun(c *call, g *world.Group, plan *template.Plan) *run {
	return &run{call: c, group: g, plan: plan, steps: map[*template.Resource]*world.DeploymentStep{}, skipped: map[*template.Resource]bool{}}
}

// begin is called with the world's lock, as all that follows from it.
func (r *run) begin(d *world.Deployment) {
	r.deployment = d
	d.Run()
	r.advance()
}

func (r *run) after(d time.Duration, then func()) { r.call.world.Clock.After(d, then) }

// advance begins what can begin, and ends the deployment when nothing is left.
func (r *run) advance() {
	for again := true; again; {
		again = false
		for _, resource := range r.plan.Resources {
			if r.steps[resource] == nil && !r.skipped[resource] && r.take(resource) {
				again = true
			}
		}
	}
	for _, resource := range r.plan.Resources {
		if step := r.steps[resource]; !r.skipped[resource] && (step == nil || step.Ended.IsZero()) {
			return
		}
	}
	r.finish()
}

// take begins a resource or skips it, if what it depends on has ended. It reports
// whether others may go on by that.
func (r *run) take(resource *template.Resource) bool {
	for _, other := range resource.DependsOn {
		step := r.steps[other]
		switch {
		case r.skipped[other], step != nil && step.State() == world.StateFailed:
			r.skipped[resource] = true
			return true
		case step == nil, step.Ended.IsZero():
			return false
		}
	}
	step := &world.DeploymentStep{
		ID: strings.ToUpper(strings.ReplaceAll(tag(r.deployment.Operation().ID+resource.ID), "-", ""))[:16], Resource: resource.ID,
		Type: resource.Type, Name: resource.Name, Began: r.call.front.now(),
	}
	r.steps[resource] = step
	r.deployment.Steps = append(r.deployment.Steps, step)
	r.write(resource, step)
	return !step.Ended.IsZero()
}

// write sends the resource to its provider.
func (r *run) write(resource *template.Resource, step *world.DeploymentStep) {
	body, err := r.plan.Body(resource, r.runtime())
	if err != nil {
		r.end(step, http.StatusBadRequest, wrongExpression(resource, err).Object())
		return
	}
	a, p := r.call.within(put, resource.ID, resource.APIVersion, body).respondWithin()
	switch wait := retryAfter(p); {
	case wait > 0:
		r.after(wait, func() { r.write(resource, step); r.advanceIf(step) })
		return
	case p != nil:
		r.end(step, p.Status, p.Object())
		return
	}
	step.Status = a.Status
	if o := r.call.world.Operations.Find(operationIn(a.Header.Get("Azure-Asyncoperation"))); o != nil {
		r.await(step, o)
		return
	}
	r.end(step, a.Status, nil)
}

func wrongExpression(r *template.Resource, err error) *problem {
	return azhttp.NewProblem(http.StatusBadRequest, "InvalidTemplate", "Unable to process template language expressions for resource '%s'. '%s'", r.ID, err)
}

// retryAfter is how long Resource Manager waits before it sends a request again
// that was refused for the present; 0: it does not.
func retryAfter(p *problem) time.Duration {
	switch {
	case p == nil:
		return 0
	case p.Code == "AnotherOperationInProgress":
		return pollEvery
	case p.Status == http.StatusTooManyRequests:
		seconds, _ := strconv.Atoi(p.Header.Get("Retry-After"))
		return time.Duration(max(1, seconds)) * time.Second
	}
	return 0
}

// operationIn is the ID of the operation that a URL asks for.
func operationIn(url string) string {
	path, _, _ := strings.Cut(url, "?")
	return path[strings.LastIndexByte(path, '/')+1:]
}

// await ends the step when the provider's operation has ended.
func (r *run) await(step *world.DeploymentStep, o *world.Operation) {
	r.after(pollEvery, func() {
		switch {
		case o.Running():
			r.await(step, o)
			return
		case o.Failure != nil:
			inner := azhttp.ErrorObject(o.Failure.Code, o.Failure.Message)
			if nested := r.nestedError(step); nested != nil {
				inner = nested
			}
			r.end(step, http.StatusConflict, object{
				"code": "ResourceDeploymentFailure", "target": step.Resource, "details": []any{inner},
				"message": "The resource write operation failed to complete successfully, because it reached terminal provisioning state 'Failed'.",
			})
		default:
			r.end(step, http.StatusOK, nil)
		}
		r.advance()
	})
}

// nestedError is the error of a deployment within this one, with its details; nil
// of any other resource.
func (r *run) nestedError(step *world.DeploymentStep) object {
	if !strings.EqualFold(step.Type, "Microsoft.Resources/deployments") {
		return nil
	}
	a, p := r.call.within(get, step.Resource, r.call.apiVersion, nil).respondWithin()
	if p != nil {
		return nil
	}
	e, _ := jsonmap.At(a.Body, "properties.error").(object)
	return e
}

func (r *run) end(step *world.DeploymentStep, status int, failure object) {
	step.Ended, step.Status, step.Error = r.call.front.now(), status, failure
}

func (r *run) advanceIf(step *world.DeploymentStep) {
	if !step.Ended.IsZero() {
		r.advance()
	}
}

// finish ends the deployment with its outputs, or with what failed.
func (r *run) finish() {
	var details []any
	for _, step := range r.deployment.Steps {
		if step.Error != nil {
			details = append(details, step.Error)
		}
	}
	if details == nil {
		details = r.output()
	}
	if details != nil {
		r.deployment.Error = object{
			"code": "DeploymentFailed", "target": r.deployment.ID, "details": details,
			"message": "At least one resource deployment operation failed. Please list deployment operations for details. Please see https://aka.ms/arm-deployment-operations for usage details.",
		}
	}
	r.group.EndDeployment(r.deployment)
}

// output evaluates the outputs, and returns what is wrong with them.
func (r *run) output() []any {
	outputs, err := r.plan.Outputs(r.runtime())
	if err != nil {
		return []any{azhttp.ErrorObject("DeploymentOutputEvaluationFailed", "Unable to evaluate template outputs: "+err.Error())}
	}
	r.deployment.Outputs = object{}
	for _, one := range outputs {
		shown := object{"type": typeName(one.Type)}
		if one.Value != nil {
			shown["value"] = one.Value
		}
		r.deployment.Outputs[camelCase(one.Name)] = shown
	}
	return nil
}

// runtime are the functions that show what is deployed.
func (r *run) runtime() template.Scope { return template.Scope{"reference": r.reference} }

// reference is the function that shows a resource: its properties, or all of it.
// Of one that the template deploys the version may be left out.
func (r *run) reference(args []any) (any, error) {
	var given [3]string
	for i, arg := range args {
		text, ok := arg.(string)
		if i >= len(given) || !ok {
			return nil, &template.Error{Message: "It takes up to 3 strings."}
		}
		given[i] = text
	}
	id, version := given[0], given[1]
	if resource := r.plan.Find(id); resource != nil {
		id = resource.ID
		if version == "" {
			version = resource.APIVersion
		}
	}
	switch {
	case !strings.HasPrefix(id, "/"):
		return nil, &template.Error{Message: "The template reference '" + id + "' is not valid: could not find template resource or resource copy with this name. Please see https://aka.ms/arm-function-reference for usage details."}
	case version == "":
		return nil, &template.Error{Message: "The reference to '" + id + "' requires an API version. Please see https://aka.ms/arm-template for usage details."}
	}
	a, p := r.call.within(get, id, version, nil).respondWithin()
	if p != nil {
		return nil, p
	}
	if strings.EqualFold(given[2], "Full") {
		return a.Body, nil
	}
	return jsonmap.At(a.Body, "properties"), nil
}
