package world

import "gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"

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

func (s Script) run(on *machine.Machine) (Output, error) {
	var args, env []string
	for _, p := range s.Parameters {
		args = append(args, p.Value)
		if pair := p.Name + "=" + p.Value; machine.CheckEnv([]string{pair}) == nil {
			env = append(env, pair)
		}
	}
	r, err := on.Run(s.Text, args, env)
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
	w := i.world()
	var result Output
	var err error
	end := func() {
		i.scripted = false
		if err != nil || i.Power != PowerRunning {
			w.Operations.end(o, &Failure{"VMAgentStatusCommunicationError", "VM '" + i.Name + "' has not reported status for VM agent or extensions."})
			return
		}
		o.Output = &result
		w.Operations.end(o, nil)
	}
	if i.machine == nil {
		end()
		return
	}
	w.config.Async(func() { result, err = s.run(i.machine) }, end)
}
