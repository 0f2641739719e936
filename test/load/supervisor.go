package load

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/taskscaler"
)

// generation is one process of the plugin with the scaler that uses it.
type generation struct {
	number int
	runner *fleeting.Runner
	scaler taskscaler.Taskscaler
	alive  context.Context // as long as the process
	exited context.CancelFunc

	mu     sync.Mutex
	pid    int
	killed bool // by us, or ended because it is no longer needed
}

// Accept implements hclog.SinkAdapter. fleeting hides the process of a plugin;
// go-plugin logs its start and its exit.
func (g *generation) Accept(_ string, _ hclog.Level, message string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch message {
	case "plugin started":
		if at := slices.Index(args, any("pid")); at >= 0 {
			g.pid, _ = args[at+1].(int)
		}
	case "plugin process exited":
		g.exited()
	}
}

// kill ends the process as a crash does: it is not notified.
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

// retire reports whether the process has ended although nobody ended it, and
// allows it to end.
func (g *generation) retire() (crashed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	crashed = g.pid != 0 && g.alive.Err() != nil && !g.killed
	g.killed = true
	return crashed
}

// dead reports whether the process has ended or is about to.
func (g *generation) dead() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.killed || g.alive.Err() != nil
}

// supervisor keeps one generation running, as GitLab Runner does: when a plugin
// has died, the next poll for jobs starts another, and a scaler with it.
type supervisor struct {
	*Progress
	options  Options
	settings *settings
	log      *os.File
	logMutex sync.Mutex
	ending   sync.WaitGroup

	mu        sync.Mutex
	latest    *generation // the last one started, serving or not
	serving   *generation // nil: none
	schedules []taskscaler.Schedule
	crashes   []string // that nobody caused
	kills     int
}

const (
	// pollInterval is how long after a plugin's exit the runner needs another.
	pollInterval = 3 * time.Second

	// initTimeout is what GitLab Runner gives a scaler to come up.
	initTimeout = time.Minute

	// shutdownTimeout bounds the end of a scaler whose plugin still runs, and
	// deadTimeout that of one whose plugin does not.
	shutdownTimeout = 30 * time.Second
	deadTimeout     = 5 * time.Second
)

// keep has the first generation serve, and others after it until ctx ends; then
// the last one still runs.
func (s *supervisor) keep(ctx context.Context, first *generation) {
	for g, err := first, error(nil); ; g, err = s.start(ctx, g.number+1) {
		if err == nil {
			s.Printf("plugin %d serves", g.number)
			s.change(func() { s.serving = g })
			select {
			case <-g.alive.Done():
			case <-ctx.Done():
				return
			}
			s.change(func() { s.serving = nil })
		} else if ctx.Err() == nil {
			s.Printf("plugin %d does not come up: %v", g.number, err)
		}
		s.ending.Go(func() { s.end(g, deadTimeout) })
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return
		}
	}
}

func (s *supervisor) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// start starts a generation. What it returns with an error has to be ended, too.
func (s *supervisor) start(ctx context.Context, number int) (*generation, error) {
	g := &generation{number: number}
	g.alive, g.exited = context.WithCancel(context.WithoutCancel(ctx))
	s.change(func() { s.latest = g })
	log := hclog.NewInterceptLogger(&hclog.LoggerOptions{
		Name: fmt.Sprintf("plugin-%d", number), Output: s.log, Mutex: &s.logMutex, Level: hclog.Debug,
	})
	log.RegisterSink(g)
	config, err := json.Marshal(s.settings.plugin)
	if err != nil {
		return g, err
	}
	if g.runner, err = fleeting.RunPlugin(s.options.Plugin, config, fleeting.WithPluginLogger(log)); err != nil {
		return g, fmt.Errorf("start plugin: %w", err)
	}
	init, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	scaler, err := taskscaler.New(init, g.runner.InstanceGroup(), s.settings.options(log)...)
	if err != nil {
		return g, err
	}
	g.scaler = scaler
	s.mu.Lock()
	defer s.mu.Unlock()
	return g, scaler.ConfigureSchedule(slices.Clone(s.schedules)...)
}

// end ends a generation, and records whether it has crashed.
func (s *supervisor) end(g *generation, timeout time.Duration) {
	if g.retire() {
		crash := fmt.Sprintf("plugin %d has ended by itself; see %s", g.number, s.options.LogFile)
		s.Printf("FAILED: %s", crash)
		s.change(func() { s.crashes = append(s.crashes, crash) })
	}
	if g.scaler != nil {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		g.scaler.Shutdown(ctx)
	}
	if g.runner != nil {
		g.runner.Kill()
	}
}

// current waits for a generation that serves.
func (s *supervisor) current(ctx context.Context) (g *generation, err error) {
	err = Poll(ctx, func(context.Context) (bool, string, error) {
		s.change(func() { g = s.serving })
		return g != nil && !g.dead(), "no plugin serves", nil
	})
	return g, err
}

// KillPlugin kills the process of the latest plugin, even one that does not serve
// yet. Another is then started.
func (s *supervisor) KillPlugin() {
	var g *generation
	s.change(func() { g = s.latest })
	if err := g.kill(); err != nil {
		s.Printf("kill -9 comes too late: %v", err)
		return
	}
	s.change(func() { s.kills++ })
	s.Printf("kill -9 of plugin %d", g.number)
}

// SetIdle changes how many instances are kept ready, now and after a restart. With 0
// all are removed.
func (s *supervisor) SetIdle(count int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedules = keep(count)
	if s.serving == nil {
		return nil
	}
	return s.serving.scaler.ConfigureSchedule(slices.Clone(s.schedules)...)
}
