package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/taskscaler"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/demo/fleet"
)

// generation is one process of the plugin with the scaler that uses it.
type generation struct {
	number int
	runner *fleeting.Runner
	scaler taskscaler.Taskscaler
	alive  context.Context // as long as the process
	bury   context.CancelFunc

	mu     sync.Mutex
	pid    int
	killed bool // by us, or ended because it is not needed any more
}

// Accept implements hclog.SinkAdapter. fleeting hides the process of a plugin;
// what go-plugin logs tells of its birth and death.
func (g *generation) Accept(_ string, _ hclog.Level, message string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch message {
	case "plugin started":
		for n := 0; n+1 < len(args); n += 2 {
			if pid, ok := args[n+1].(int); ok && args[n] == "pid" {
				g.pid = pid
			}
		}
	case "plugin process exited":
		g.bury()
	}
}

// kill ends the process as a crash does: it learns nothing of it.
func (g *generation) kill() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.pid == 0 || g.alive.Err() != nil {
		return fmt.Errorf("plugin %d does not run", g.number)
	}
	process, err := os.FindProcess(g.pid)
	if err != nil {
		return err
	}
	g.killed = true
	return process.Kill()
}

func (g *generation) retire() {
	g.mu.Lock()
	g.killed = true
	g.mu.Unlock()
}

// crashed says whether the process has ended, and nobody ended it.
func (g *generation) crashed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pid != 0 && g.alive.Err() != nil && !g.killed
}

// dead says whether the process is, or is about to be.
func (g *generation) dead() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.killed || g.alive.Err() != nil
}

// plugins keeps one generation running, as GitLab Runner does: when a plugin has
// died, the next poll for jobs starts another, and a scaler with it.
type plugins struct {
	*soak
	log      *os.File
	logMutex sync.Mutex
	ending   sync.WaitGroup

	mu      sync.Mutex
	latest  *generation // the last one started, up or not
	up      *generation // nil: none can be used
	idle    int         // kept ready
	crashes []string    // that nobody caused
	kills   int
}

const (
	// poll is how long after a death the runner comes to need the plugin.
	poll = 3 * time.Second

	// initLimit is what GitLab Runner gives a scaler to come up.
	initLimit = time.Minute
)

// keep starts generations until ctx ends; then the last one still runs.
func (p *plugins) keep(ctx context.Context) {
	for number := 1; ctx.Err() == nil; number++ {
		g, err := p.start(ctx, number)
		if err == nil {
			p.say("plugin %d serves", number)
			p.change(func() { p.up = g })
			select {
			case <-g.alive.Done():
			case <-ctx.Done():
				return
			}
			p.change(func() { p.up = nil })
		} else if ctx.Err() == nil {
			p.say("plugin %d does not come up: %v", number, err)
		}
		p.ending.Go(func() { p.end(g, 5*time.Second) })
		select {
		case <-time.After(poll):
		case <-ctx.Done():
		}
	}
}

func (p *plugins) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// start makes a generation. What it returns beside an error has to be ended,
// too.
func (p *plugins) start(ctx context.Context, number int) (*generation, error) {
	g := &generation{number: number}
	g.alive, g.bury = context.WithCancel(context.WithoutCancel(ctx))
	p.change(func() { p.latest = g })
	log := hclog.NewInterceptLogger(&hclog.LoggerOptions{
		Name: fmt.Sprintf("soak-%d", number), Output: p.log, Mutex: &p.logMutex, Level: hclog.Debug,
	})
	log.RegisterSink(g)
	var err error
	if g.runner, err = fleet.StartPlugin(p.options.plugin, p.simulator.Env, log); err != nil {
		return g, err
	}
	options, err := fleet.ScalerOptions(p.simulator.Env, log, p.options.max)
	if err != nil {
		return g, err
	}
	options = append(options, taskscaler.WithInstanceUpFunc(refuseOld))
	init, cancel := context.WithTimeout(ctx, initLimit)
	defer cancel()
	scaler, err := taskscaler.New(init, g.runner.InstanceGroup(), options...)
	if err != nil {
		return g, err
	}
	g.scaler = scaler
	p.mu.Lock()
	defer p.mu.Unlock()
	return g, scaler.ConfigureSchedule(idling(p.idle))
}

func idling(count int) taskscaler.Schedule {
	if count == 0 {
		return taskscaler.Schedule{IdleTime: time.Nanosecond}
	}
	return taskscaler.Schedule{IdleCount: count, IdleTime: 10 * time.Second}
}

// refuseOld is what GitLab Runner does with instances that were there before it
// and of which it kept no state: a job may have run there.
func refuseOld(_ taskscaler.Taskscaler, i taskscaler.UpFuncInstance) error {
	if i.Cause == fleeting.CausePreexisted && !i.Restored {
		return errors.New("no data on pre-existing instance so removing for safety")
	}
	return nil
}

// end ends a generation, and notes if it has died by itself.
func (p *plugins) end(g *generation, patience time.Duration) {
	if g.crashed() {
		p.say("FAILED: plugin %d has ended, and nobody killed it; see the log", g.number)
		p.change(func() { p.crashes = append(p.crashes, fmt.Sprintf("plugin %d has ended by itself", g.number)) })
	}
	g.retire()
	if g.scaler != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		g.scaler.Shutdown(ctx)
	}
	if g.runner != nil {
		g.runner.Kill()
	}
}

// current waits for a generation that serves.
func (p *plugins) current(ctx context.Context) (*generation, error) {
	for {
		var g *generation
		p.change(func() { g = p.up })
		if g != nil && !g.dead() {
			return g, nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// kill kills the plugin, wherever it is in its life.
func (p *plugins) kill() {
	var g *generation
	p.change(func() { g = p.latest })
	if g == nil {
		return
	}
	if err := g.kill(); err != nil {
		p.say("kill -9 comes too late: %v", err)
		return
	}
	p.change(func() { p.kills++ })
	p.say("kill -9 of plugin %d", g.number)
}

// setIdle changes how many instances are kept ready, now and after a restart.
func (p *plugins) setIdle(count int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = count
	if p.up == nil {
		return nil
	}
	return p.up.scaler.ConfigureSchedule(idling(count))
}
