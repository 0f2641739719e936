package world

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Deployment is one of a template in a group, also one that has ended. What it
// does is its front's; here is what is remembered of it.
type Deployment struct {
	ID          string
	Name        string
	Correlation string // of the request that began it
	Template    map[string]any
	Shown       map[string]any // properties that do not change, without secrets
	Started     time.Time
	Steps       []*DeploymentStep // in the order in which they began
	Outputs     map[string]any    // nil until it has succeeded
	Error       map[string]any    // nil until it has failed

	operation *Operation
	running   bool // it has begun its first resource
}

// DeploymentStep is the deployment of one resource.
type DeploymentStep struct {
	ID       string
	Resource string // its ID
	Type     string
	Name     string
	Began    time.Time
	Ended    time.Time // zero while it runs
	Status   int       // of the provider's response
	Error    map[string]any
}

// State is the step's, as its operation's provisioning state.
func (s *DeploymentStep) State() string {
	switch {
	case s.Ended.IsZero():
		return StateRunning
	case s.Error != nil:
		return StateFailed
	}
	return StateSucceeded
}

// Further states, of deployments.
const (
	StateAccepted = "Accepted"
	StateRunning  = "Running"
)

// State is the deployment's provisioning state.
func (d *Deployment) State() string {
	switch {
	case d.operation.Running() && d.running:
		return StateRunning
	case d.operation.Running():
		return StateAccepted
	}
	return d.operation.Status()
}

// Changed is when the deployment's state changed for the last time.
func (d *Deployment) Changed(now time.Time) time.Time {
	if d.operation.Running() {
		return now
	}
	return d.operation.Ended
}

// Active reports whether the deployment has not ended.
func (d *Deployment) Active() bool { return d.operation.Running() }

// Operation is that of the whole deployment.
func (d *Deployment) Operation() *Operation { return d.operation }

// Run marks the deployment as running.
func (d *Deployment) Run() { d.running = true }

// Deployment finds a deployment by name, in any case; nil: there is none.
func (g *Group) Deployment(name string) *Deployment { return g.deployments[strings.ToLower(name)] }

// Deployments are in the order of their names in lower case.
func (g *Group) Deployments() []*Deployment {
	var all []*Deployment
	for _, key := range slices.Sorted(maps.Keys(g.deployments)) {
		all = append(all, g.deployments[key])
	}
	return all
}

// Deploy remembers a deployment that begins, in place of an older one of its
// name, and calls begin soon.
func (g *Group) Deploy(name string, begin func(*Deployment)) *Deployment {
	w := g.world
	d := &Deployment{ID: g.ID + "/providers/Microsoft.Resources/deployments/" + name, Name: name, Started: w.Clock.Now(), operation: w.Operations.begin(nil, "Deploy")}
	w.Operations.rename(d.operation, sequenceID(w.Clock.Now()))
	if g.deployments == nil {
		g.deployments = map[string]*Deployment{}
	}
	g.deployments[strings.ToLower(name)] = d
	w.Clock.After(bookkeeping, func() { begin(d) })
	return d
}

// EndDeployment ends a deployment, which has failed if its Error is set.
func (g *Group) EndDeployment(d *Deployment) {
	var f *Failure
	if d.Error != nil {
		code, _ := d.Error["code"].(string)
		message, _ := d.Error["message"].(string)
		f = &Failure{code, message}
	}
	g.world.Operations.end(d.operation, f)
	if f = d.operation.Failure; f != nil && d.Error == nil { // a fault's
		d.Error, d.Outputs = map[string]any{"code": f.Code, "message": f.Message}, nil
	}
}

// sequenceID is how Resource Manager numbers operations of deployments: later
// ones are lower.
func sequenceID(now time.Time) int64 {
	const unixTick = 621_355_968_000_000_000 // of 100 ns since the year 1
	return math.MaxInt64 - unixTick - now.UnixNano()/100
}

// rename gives an operation the first free ID from a number downwards.
func (os *Operations) rename(o *Operation, number int64) {
	delete(os.byID, o.ID)
	for o.ID = ""; o.ID == "" || os.byID[o.ID] != nil; number-- {
		o.ID = fmt.Sprintf("%020d", number)
	}
	os.byID[o.ID] = o
}
