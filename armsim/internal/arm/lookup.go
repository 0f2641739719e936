package arm

import (
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// lookup finds what a request's path names.
type lookup struct {
	world   *world.World
	request *http.Request
	params  map[string]string // of the path
}

func (l *lookup) param(name string) string { return l.params[name] }

// group finds the resource group of the path.
func (l *lookup) group() (*world.Group, *problem) {
	g := l.world.Group(l.param("group"))
	if g == nil {
		return nil, groupNotFound(l.param("group"))
	}
	return g, nil
}

// scaleSet finds the scale set of the path.
func (l *lookup) scaleSet() (*world.ScaleSet, *problem) {
	g, p := l.group()
	if p != nil {
		return nil, p
	}
	set := g.ScaleSet(l.param("scaleSet"))
	if set == nil {
		return nil, resourceNotFound("Microsoft.Compute/virtualMachineScaleSets/"+l.param("scaleSet"), l.param("group"))
	}
	return set, nil
}

// uniformSet finds the scale set of the path for a call that Flexible sets
// refuse (OMS-Agent-for-Linux#1475, nomad-autoscaler#1096).
func (l *lookup) uniformSet(operation string) (*world.ScaleSet, *problem) {
	set, p := l.scaleSet()
	if p == nil && !set.Uniform() {
		return nil, flexibleNotAllowed(operation, set.Name)
	}
	return set, p
}

// instance finds the instance of the path.
func (l *lookup) instance() (*world.Instance, *problem) {
	set, p := l.uniformSet("VirtualMachineScaleSets.virtualMachines." + l.request.Method)
	if p != nil {
		return nil, p
	}
	id := l.param("instance")
	if strings.Trim(id, "0123456789") != "" {
		return nil, instanceIDNotNumber()
	}
	if i := set.Find(id); i != nil {
		return i, nil
	}
	return nil, l.noInstance(id)
}

// noInstance is what Azure says where there is no instance: to a PUT that its ID
// is not active (microsoft/onefuzz#2547), to a GET most likely that it was not
// found.
func (l *lookup) noInstance(id string) *problem {
	method := l.request.Method
	if method == http.MethodPut || method == http.MethodGet && l.world.Unknowns().GoneIsInvalidParameter {
		return instanceIDNotActive("instanceIds", id)
	}
	return instanceNotFound(id)
}

// machine finds the virtual machine of the path.
func (l *lookup) machine() (*world.Instance, *problem) {
	g, p := l.group()
	if p != nil {
		return nil, p
	}
	if i := g.VirtualMachine(l.param("machine")); i != nil {
		return i, nil
	}
	return nil, resourceNotFound("Microsoft.Compute/virtualMachines/"+l.param("machine"), l.param("group"))
}

// networkInstances are the instances of the path whose interfaces are listed, in
// the order of their numbers.
// A Flexible set is unknown to these calls (terraform-provider-azurerm#22439).
func (l *lookup) networkInstances() ([]*world.Instance, *problem) {
	if _, p := l.group(); p != nil {
		return nil, p // Resource Manager's own response, before the provider's
	}
	set, p := l.scaleSet()
	if p != nil || !set.Uniform() {
		return nil, networkNotFound(l.request.URL.Path)
	}
	all := set.ByNumber()
	if id := l.param("instance"); id != "" {
		all = nil
		if i := set.Find(id); i != nil {
			all = []*world.Instance{i}
		}
	}
	listed := make([]*world.Instance, 0, len(all))
	for _, i := range all {
		if i.Listed {
			listed = append(listed, i)
		}
	}
	return listed, nil
}

// names reports whether the path names this, or nothing of the kind.
func (l *lookup) names(param, name string) bool {
	return l.param(param) == "" || strings.EqualFold(l.param(param), name)
}
