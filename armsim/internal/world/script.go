package world

import (
	"context"
	"errors"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

// Script is what a run command has an instance run.
type Script struct {
	Text       string
	Parameters []Parameter
}

// Parameter is an argument of a script, in order, and where its name is one that a shell
// takes a variable, too (Microsoft's page on run command).
type Parameter struct{ Name, Value string }

// Output is what a script wrote.
type Output struct{ Stdout, Stderr string }

// scriptLimit is how long a script may run (Microsoft's page on run command).
const scriptLimit = 90 * time.Minute

func (s Script) run(ctx context.Context, on *machine.Machine) (Output, error) {
	var args, env []string
	for _, p := range s.Parameters {
		args = append(args, p.Value)
		if pair := p.Name + "=" + p.Value; machine.CheckEnv([]string{pair}) == nil {
			env = append(env, pair)
		}
	}
	r, err := on.Run(ctx, s.Text, args, env)
	return Output{r.Stdout, r.Stderr}, err
}

// CheckScript refuses a script where the instance does not run, or one is on its way on it;
// nil: go on.
func (i *Instance) CheckScript() *Failure {
	switch {
	case i.Power != PowerRunning || i.State == StateDeleting:
		return &Failure{"OperationNotAllowed", "The operation requires the VM to be running (or set to run)."}
	case i.scripted:
		return &Failure{"Conflict", "Run command extension execution is in progress. Please wait for completion before invoking a run command."}
	}
	return nil
}

// RunScript accepts a script that CheckScript lets through. It takes as long as a stop does
// until it runs.
func (i *Instance) RunScript(s Script) *Operation {
	w := i.world()
	i.scripted = true
	o := w.Operations.begin(nil, "Run command")
	w.Clock.After(w.draw(w.config.Power), func() { i.runScript(s, o) })
	return o
}

func (i *Instance) runScript(s Script, o *Operation) {
	if i.machine == nil {
		i.endScript(o, Output{}, nil)
		return
	}
	w := i.world()
	ctx, cancel := context.WithCancel(context.Background())
	w.Clock.After(scriptLimit, cancel)
	var result Output
	var err error
	w.config.Async(func() { result, err = s.run(ctx, i.machine) }, func() {
		i.endScript(o, result, err)
		cancel()
	})
}

// endScript ends the operation of a script. That of one which took too long has the code and
// words of any extension that does (believed for run commands).
func (i *Instance) endScript(o *Operation, result Output, err error) {
	i.scripted = false
	var failure *Failure
	switch {
	case errors.Is(err, context.Canceled):
		failure = &Failure{"VMExtensionProvisioningTimeout", "Provisioning of VM extension RunCommandLinux has timed out. Extension provisioning has taken too long to complete. The extension did not report a message."}
	case err != nil || i.Power != PowerRunning:
		failure = &Failure{"VMAgentStatusCommunicationError", "VM '" + i.Name + "' has not reported status for VM agent or extensions."}
	default:
		o.Output = &result
	}
	i.world().Operations.end(o, failure)
}
