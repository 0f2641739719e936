//go:build unix

package binary_test

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// running is a command under way.
type running struct {
	*shell
	command     *exec.Cmd
	out, errors *launch.Output
	ended       chan struct{}
}

// start runs a command with pipes.
func (s *shell) start(args ...string) *running {
	s.Helper()
	r := &running{s, s.command(args...), &launch.Output{}, &launch.Output{}, make(chan struct{})}
	r.command.Stdout, r.command.Stderr = r.out, r.errors
	require.NoError(s, r.command.Start())
	go func() {
		defer close(r.ended)
		_ = r.command.Wait()
	}()
	return r
}

// startOnTerminal runs a command on a terminal, to which it writes both its streams.
func (s *shell) startOnTerminal(args ...string) *running {
	s.Helper()
	r := &running{s, s.command(args...), &launch.Output{}, nil, make(chan struct{})}
	terminal, err := pty.Start(r.command)
	if err != nil {
		s.Skip("there are no pseudo-terminals here:", err)
	}
	go func() {
		defer close(r.ended)
		buffer := make([]byte, 4096)
		for {
			n, err := terminal.Read(buffer)
			_, _ = r.out.Write(buffer[:n])
			if err != nil { // the process has ended
				break
			}
		}
		_ = r.command.Wait()
		_ = terminal.Close()
	}()
	return r
}

func (r *running) await(condition func() bool) {
	r.Helper()
	require.Eventually(r, condition, launch.Patience, launch.Tick)
}

// interrupt presses Ctrl-C, and returns the exit code.
func (r *running) interrupt() int {
	r.Helper()
	require.NoError(r, r.command.Process.Signal(syscall.SIGINT))
	return r.code()
}

func (r *running) code() int {
	r.Helper()
	select {
	case <-r.ended:
	case <-time.After(launch.Patience):
		require.NoError(r, r.command.Process.Kill())
		r.Fatal("the command does not end")
	}
	return r.command.ProcessState.ExitCode()
}

// late has an operation of the simulator respond too late for anybody to wait, and returns
// what reports whether it was called since.
func late(t *testing.T, sim *armsim.Server, operation string) (called func() bool) {
	t.Helper()
	before := len(sim.Journal())
	require.NoError(t, sim.AddFaults(armsim.Fault{Operation: operation, Effect: armsim.Effect{Delay: armsim.Span(24 * time.Hour)}}))
	return func() bool {
		return slices.ContainsFunc(sim.Journal()[before:], func(e armsim.Entry) bool { return e.Operation == operation })
	}
}

// TestInterrupted: Ctrl-C ends each command with a sentence, and the next run goes on.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	sim := armsim.Start(t, armsim.Config{NoMachines: true, TimeScale: 5, Subscription: armsim.Subscription{Empty: true, CheckReferences: true}})
	s := newShell(t, sim)

	called := late(t, sim, armops.ListSizes)
	c := s.start(setupAt(sim)...)
	c.await(called)
	assert.Equal(t, 1, c.interrupt())
	assert.Equal(t, "fleeting-plugin-azure setup: interrupted; nothing was changed\n", c.errors.String())
	assert.Empty(t, c.out.String())
	sim.ClearFaults()

	called = late(t, sim, armops.PutGateway)
	c = s.start(setupAt(sim)...)
	c.await(called)
	assert.Equal(t, 1, c.interrupt())
	assert.True(t, strings.HasSuffix(c.errors.String(), "NAT gateway \"ci-nat\"\nfleeting-plugin-azure setup: interrupted; run setup again to go on from there\n"), c.errors.String())
	assert.NotContains(t, c.out.String(), "[[runners]]")
	sim.ClearFaults()
	r := s.run(setupAt(sim)...)
	require.Equal(t, 0, r.code, r.stderr)
	assert.Contains(t, r.stdout, "= NAT gateway \"ci-nat\"\n+ virtual network \"ci-vnet\"\n")

	s.file("config.toml", configOf(sim, "key"))
	called = late(t, sim, armops.GetScaleSet)
	c = s.start("doctor", "--config", "config.toml")
	c.await(called)
	assert.Equal(t, 1, c.interrupt())
	assert.Equal(t, "fleeting-plugin-azure doctor: interrupted; nothing was changed\n", c.errors.String())
	sim.ClearFaults()

	called = late(t, sim, armops.GetScaleSet)
	c = s.start(at(sim, "status", "--no-price")...)
	c.await(called)
	assert.Equal(t, 1, c.interrupt())
	assert.Equal(t, "fleeting-plugin-azure status: interrupted\n", c.errors.String())
	sim.ClearFaults()

	called = late(t, sim, armops.DeleteSecurityGroup)
	c = s.start(at(sim, "teardown", "--yes")...)
	c.await(called)
	assert.Equal(t, 1, c.interrupt())
	assert.True(t, strings.HasSuffix(c.errors.String(), "\nfleeting-plugin-azure teardown: interrupted; run teardown again to go on from there\n"), c.errors.String())
	sim.ClearFaults()
	assert.Equal(t, 0, s.run(at(sim, "teardown", "--yes")...).code)
	assert.Contains(t, s.run(at(sim, "teardown", "--yes")...).stdout, "nothing to do")
}

// shownSet is the first line of a scale set in status.
const shownSet = "ci in runners, westeurope, Uniform, Succeeded: capacity 0, 0 instances"

func watched(t *testing.T) (*armsim.Server, *shell, []string) {
	sim := launch.Simulator(t, armsim.Config{NoMachines: true, ResourceGroup: "runners"}, armsim.ScaleSetSpec{Name: "ci"})
	return sim, newShell(t, sim), at(sim, "status", "--no-price", "--watch", "--every", "5s")
}

func TestWatchInAPipe(t *testing.T) {
	t.Parallel()
	sim, s, watch := watched(t)
	c := s.start(watch...)
	c.await(func() bool { return strings.Count(c.out.String(), shownSet) == 2 })
	require.NoError(t, sim.AddFaults(armsim.Fault{Operation: armops.GetScaleSet, Times: 1, Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 403}}}))
	c.await(func() bool { return c.errors.Contains("it is read again in 5s\n") })
	c.await(func() bool { return strings.Count(c.out.String(), shownSet) == 3 })
	assert.Equal(t, 0, c.interrupt())
	s.clean(c.out.String() + c.errors.String())
	assert.Equal(t, 1, strings.Count(c.errors.String(), "\n"), c.errors.String())
}

// TestWatchEndsInTheMiddle of a read, which is no failure either.
func TestWatchEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	sim, s, watch := watched(t)
	called := late(t, sim, armops.GetScaleSet)
	c := s.start(watch...)
	c.await(called)
	assert.Equal(t, 0, c.interrupt())
	assert.Empty(t, c.errors.String())
}

func TestWatchOnATerminal(t *testing.T) {
	t.Parallel()
	_, s, watch := watched(t)
	s.env["TERM"] = "xterm"
	c := s.startOnTerminal(watch...)
	c.await(func() bool { return strings.Count(c.out.String(), "\033[H\033[2J") == 2 })
	c.await(func() bool { return strings.Count(c.out.String(), shownSet) == 3 })
	assert.Equal(t, 0, c.interrupt())
}

// TestTerminals: colours and movement for those who can see them.
func TestTerminals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment      launch.Environment
		colour, movement bool
	}{
		"a terminal":   {launch.Environment{"TERM": "xterm"}, true, true},
		"without TERM": {launch.Environment{}, true, true},
		"NO_COLOR":     {launch.Environment{"TERM": "xterm", "NO_COLOR": "1"}, false, true},
		"dumb":         {launch.Environment{"TERM": "dumb"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sim, s, _ := watched(t)
			for key, value := range c.environment {
				s.env[key] = value
			}
			s.file("config.toml", configOf(sim, "key"))
			require.NoError(t, sim.AddFaults(armsim.Fault{Operation: armops.GetScaleSet, Effect: armsim.Effect{Delay: armsim.Span(time.Second)}}))
			onTerminal := s.startOnTerminal("doctor", "--config", "config.toml")
			onTerminal.code()
			shown := onTerminal.out.String()
			assert.Equal(t, c.colour, regexp.MustCompile(`\033\[[0-9;]+m`).MatchString(shown), "%q", shown)
			assert.Equal(t, c.movement, strings.Contains(shown, "asking Azure"), "%q", shown)
			if !c.colour && !c.movement {
				assert.NotContains(t, shown, "\033")
			}
			r := s.run("doctor", "--config", "config.toml") // which looks for escape codes
			assert.NotContains(t, r.stdout+r.stderr, "asking Azure")
		})
	}
}
