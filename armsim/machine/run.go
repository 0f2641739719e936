package machine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Result is what a script came to.
type Result struct {
	Stdout, Stderr string // the last MaxOutput bytes of each
	ExitCode       int    // 128 and the signal's number where one ended it
}

// MaxOutput is how many bytes of each stream Run keeps.
const MaxOutput = 4096

// Run runs a script with arguments on the machine and waits for its end. Without a first
// line that names an interpreter it is a shell's. env holds further KEY=value pairs. Run may
// be called at any time from any goroutine. The error says that the machine is off, or went
// off meanwhile, or is that of ctx; then nothing of the script runs any longer, but for what
// left its process group where the machine goes on.
func (m *Machine) Run(ctx context.Context, script string, args, env []string) (Result, error) {
	r, err := m.run(ctx, script, args, env)
	if err != nil {
		return Result{}, fmt.Errorf("run a script on machine %q: %w", m.cfg.Name, err)
	}
	return r, nil
}

func (m *Machine) run(ctx context.Context, script string, args, env []string) (Result, error) {
	m.state.Lock()
	l := m.life
	m.state.Unlock()
	if l == nil || !l.enter() {
		return Result{}, errOff
	}
	defer l.leave()
	file, err := writeScript(m.dir, script)
	if err != nil {
		return Result{}, err
	}
	defer os.Remove(file)
	// The shell passes on what has no interpreter of its own. It leads the group as long as
	// the script runs, and its end is not taken for the script's.
	c, err := l.start(m.shell(slices.Concat([]string{"-c", `exec "$0" "$@"`, file}, args), env))
	if err != nil {
		return Result{}, err
	}
	go func() {
		select {
		case <-c.done:
		case <-ctx.Done():
			c.abandon()
		case <-l.ctx.Done():
			l.awaitSweep()
			c.abandon()
		}
	}()
	var stdout, stderr lastBytes
	status := c.run(strings.NewReader(""), &stdout, &stderr)
	if l.isDead() {
		return Result{}, errOff
	}
	return Result{string(stdout), string(stderr), exitCode(status)}, ctx.Err()
}

// writeScript writes a script that can be run; see makeTools for the lock.
func writeScript(dir, script string) (string, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	f, err := os.CreateTemp(filepath.Join(dir, "tmp"), "script-*.sh")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(script)
	return f.Name(), errors.Join(err, f.Chmod(0o700), f.Close())
}

func (l *life) isDead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

func exitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// lastBytes keeps the end of what is written to it.
type lastBytes []byte

func (b *lastBytes) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	*b = (*b)[max(0, len(*b)-MaxOutput):]
	return len(p), nil
}
