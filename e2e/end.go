package main

import (
	"context"
	"errors"
	"time"
)

// scaleToZero has the runner remove all instances by policy.
func (l *leg) scaleToZero(ctx context.Context) error {
	l.say("scale to zero")
	if err := l.stand.SetIdle(0); err != nil {
		return err
	}
	if !l.version.TakesPolicies() {
		if err := l.quit(ctx); err != nil {
			return err
		}
		if err := l.stand.StartRunner(); err != nil {
			return err
		}
	}
	return l.stand.Settle(ctx, 0)
}

func (l *leg) quit(ctx context.Context) error {
	if err := l.stand.AskToQuit(); err != nil {
		return err
	}
	return l.stand.AwaitQuit(ctx)
}

// end ends the runner, and looks for what is left, whatever was before.
func (l *leg) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 30*time.Second, errors.New("out of time"))
	defer cancel()
	err := l.quit(ctx)
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	instances, uncounted := l.stand.Left(look)
	if uncounted == nil {
		l.counted = true
		l.verdict.left += instances
		l.say("%d instances are left", instances)
	}
	return errors.Join(err, uncounted, l.bury(look), l.stand.Inspect(look), l.complaints())
}

func (l *leg) complaints() error {
	if l.version.LogsForPlugin() {
		return complaints(l.log())
	}
	l.say("the plugin's warnings and errors are not checked: this runner does not tell its log apart")
	return nil
}

// bury removes the containers of jobs that were broken off, where nobody could.
// They are on no instance any more, but our instances share a Docker Engine.
func (l *leg) bury(ctx context.Context) error {
	if l.docker == nil {
		return nil
	}
	for i, t := range l.trials {
		forgotten := t.do == evict || t.brokenOff && !l.version.CleansUpInTime()
		if !forgotten || l.ids[i] == 0 {
			continue
		}
		count, err := l.docker.Kill(ctx, l.stand.URL, l.ids[i])
		if err != nil {
			return err
		}
		if count > 0 {
			l.say("job %2d %-20s %d containers went with its instance", l.ids[i], t.Name, count)
		}
	}
	return nil
}
