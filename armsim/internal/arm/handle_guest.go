package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// guests is a call on what runs in instances.
type guests struct{ *call }

func inGuests(handle func(guests) (*response, *problem)) func(*call) (*response, *problem) {
	return func(c *call) (*response, *problem) { return handle(guests{c}) }
}

// reimageScaleSet gives new disks to the named instances of a scale set, or to all of them
// where none are named, less those that their policy protects. That it is allowed of a
// Flexible set is believed.
func reimageScaleSet(c guests) (*response, *problem) {
	set, p := c.scaleSet()
	if p != nil {
		return nil, p
	}
	targets, p := c.instanceIDs(set, "instanceIds", false)
	if p != nil {
		return nil, p
	}
	if namesNone(c.body) {
		targets = world.WithoutProtected(targets)
	}
	return c.reimage(set, set, targets)
}

func reimageInstance(c guests) (*response, *problem) {
	i, p := c.instance()
	if p != nil {
		return nil, p
	}
	return c.reimageOne(i.Set, i)
}

func reimageMachine(c guests) (*response, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	return c.reimageOne(nil, i)
}

func (c guests) reimageOne(set *world.ScaleSet, i *world.Instance) (*response, *problem) {
	if i.State == world.StateDeleting {
		return nil, markedForDeletion("Reimage Virtual Machine", i.Name)
	}
	return c.reimage(i.Set, set, []*world.Instance{i})
}

// reimage accepts it; owner and set are as in powerCall.begin.
func (c guests) reimage(owner, set *world.ScaleSet, targets []*world.Instance) (*response, *problem) {
	if c.body["osProfile"] != nil {
		return nil, notSimulated("a reimaging with", "another osProfile")
	}
	if p := c.charge(owner, len(targets)); p != nil {
		return nil, p
	}
	return c.accepted(c.world.Reimage(set, targets, c.allDisks()), http.StatusAccepted, nil), nil
}

// allDisks reports whether the request is for the data disks as well.
func (c guests) allDisks() bool { return strings.HasSuffix(c.route.operation, "_ReimageAll") }

func runOnInstance(c guests) (*response, *problem) {
	i, p := c.instance()
	if p != nil {
		return nil, p
	}
	return c.run(i)
}

func runOnMachine(c guests) (*response, *problem) {
	i, p := c.machine()
	if p != nil {
		return nil, p
	}
	return c.run(i)
}

// run has an instance run a script.
func (c guests) run(i *world.Instance) (*response, *problem) {
	const shell = "RunShellScript"
	switch id := jsonmap.Text(c.body, "commandId"); {
	case id == "":
		return nil, invalidParameter("commandId", "Required parameter 'commandId' is missing (null).")
	case !strings.EqualFold(id, shell) || isWindows(i.Profile):
		return nil, notSimulated("the run command", id)
	}
	if p := conflict(i.CheckScript()); p != nil {
		return nil, p
	}
	if p := c.charge(i.Set, 1); p != nil {
		return nil, p
	}
	return c.accepted(i.RunScript(c.script()), http.StatusAccepted, nil), nil
}

// script reads the body's script.
func (c guests) script() world.Script {
	var s world.Script
	var lines []string
	for _, line := range jsonmap.List(c.body, "script") {
		if text, ok := line.(string); ok {
			lines = append(lines, text)
		}
	}
	s.Text = strings.Join(lines, "\n")
	for _, parameter := range jsonmap.List(c.body, "parameters") {
		s.Parameters = append(s.Parameters, world.Parameter{Name: jsonmap.Text(parameter, "name"), Value: jsonmap.Text(parameter, "value")})
	}
	return s
}

// scriptOutput is what a run command came to, in the words of the agent for Linux. It is a
// success whatever the script's exit code (azure-cli#14425).
func scriptOutput(r *world.Output) object {
	return object{"value": []any{object{
		"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded",
		"message": "Enable succeeded: \n[stdout]\n" + r.Stdout + "\n[stderr]\n" + r.Stderr,
	}}}
}
