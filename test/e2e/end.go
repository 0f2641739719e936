package main

import (
	"context"
	"errors"
	"time"
)

// scaleToZero has the runner remove all instances by policy.
func (r *executorRun) scaleToZero(ctx context.Context) error {
	r.Printf("scale to zero")
	if err := r.testbed.SetIdle(0); err != nil {
		return err
	}
	if !r.options.Version.TakesPolicies() {
		if err := r.quit(ctx); err != nil {
			return err
		}
		if err := r.testbed.StartRunner(); err != nil {
			return err
		}
	}
	return r.testbed.Simulator.Settle(ctx, 0)
}

func (r *executorRun) quit(ctx context.Context) error {
	if err := r.testbed.AskToQuit(); err != nil {
		return err
	}
	return r.testbed.AwaitQuit(ctx)
}

// end ends the runner, and looks for what is left, whatever was before.
func (r *executorRun) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("out of time"))
	defer cancel()
	err := r.quit(ctx)
	ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	left, uncounted := r.testbed.Simulator.Leftovers(ctx)
	if uncounted == nil {
		r.counted = true
		r.verdict.left += left.Left
		r.verdict.wrong = append(r.verdict.wrong, left.Findings...)
		r.Printf("%d instances are left", left.Left)
	}
	return errors.Join(err, uncounted, r.removeContainers(ctx), r.testbed.Inspect(ctx), r.complaints())
}

func (r *executorRun) complaints() error {
	if r.options.Version.LogsForPlugin() {
		return complaints(r.options.LogFile)
	}
	r.Printf("the plugin's warnings and errors are not checked: this runner's log does not identify them")
	return nil
}

// removeContainers removes those of jobs that ended early, which nothing else removes.
// Their instances are gone, but ours share a Docker Engine.
func (r *executorRun) removeContainers(ctx context.Context) error {
	if r.testbed.Docker == nil {
		return nil
	}
	for _, t := range r.trials {
		left := t.do == evict || t.endsEarly && !r.options.Version.CleansUpInTime()
		if !left || t.id == 0 {
			continue
		}
		count, err := r.testbed.Docker.Kill(ctx, t.id)
		if err != nil {
			return err
		}
		if count > 0 {
			r.Printf("job %2d %-20s %d containers went with its instance", t.id, t.Name, count)
		}
	}
	return nil
}
