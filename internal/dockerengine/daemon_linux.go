package dockerengine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout is how long a new engine may take until it responds.
	startTimeout = time.Minute
	// stopTimeout is how long it may take to end; dockerd gives containers 15 s.
	stopTimeout = 30 * time.Second
	pause       = 20 * time.Millisecond
)

// daemon is a dockerd of our own.
type daemon struct {
	dir    string
	socket string
	cmd    *exec.Cmd
	ended  chan struct{}
}

func startDaemon(ctx context.Context) (*daemon, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("only root may start one; fix: let this user use a running engine (group docker)")
	}
	program, err := exec.LookPath("dockerd")
	if err != nil {
		return nil, fmt.Errorf("dockerd is not on PATH; %s", install)
	}
	dir, err := os.MkdirTemp("", "engine-")
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil { // as the list of mounts has it
		return nil, err
	}
	d := &daemon{dir: dir, socket: filepath.Join(dir, "socket"), ended: make(chan struct{})}
	if err := d.run(program); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := d.await(ctx); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	return d, nil
}

// run gives dockerd a configuration of its own: flags that the host's file
// repeats would be refused.
func (d *daemon) run(program string) error {
	in := func(name string) string { return filepath.Join(d.dir, name) }
	if err := os.WriteFile(in("daemon.json"), []byte("{}"), 0o600); err != nil {
		return err
	}
	log, err := os.OpenFile(in("log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	d.cmd = exec.Command(program, "--config-file", in("daemon.json"), "--host", "unix://"+d.socket,
		"--data-root", in("data"), "--exec-root", in("exec"), "--pidfile", in("pid"),
		"--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
	d.cmd.Stdout, d.cmd.Stderr = log, log
	// A test process that is killed must not leave an engine behind. The signal
	// comes when the thread that forked ends (golang/go#27505), hence the lock.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer close(d.ended)
		err := d.cmd.Start()
		started <- err
		if err == nil {
			_ = d.cmd.Wait() // the log has more
		}
	}()
	return <-started
}

// await returns when the socket is open, which is the last thing dockerd does.
func (d *daemon) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "unix", d.socket)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-d.ended:
			return fmt.Errorf("dockerd ended: %s", d.lastLogLine())
		case <-ctx.Done():
			return fmt.Errorf("dockerd does not respond: %w: %s", ctx.Err(), d.lastLogLine())
		case <-time.After(pause):
		}
	}
}

// lastLogLine is the last line of dockerd's log.
func (d *daemon) lastLogLine() string {
	text, err := os.ReadFile(filepath.Join(d.dir, "log"))
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(lines[len(lines)-1])
}

// stop ends dockerd and removes all that it had. dockerd kills the containers
// itself.
func (d *daemon) stop() error {
	var all []error
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // fails if it ended before
	select {
	case <-d.ended:
	case <-time.After(stopTimeout):
		all = append(all, fmt.Errorf("dockerd did not end within %s and was killed: %s", stopTimeout, d.lastLogLine()))
		_ = d.cmd.Process.Kill()
		<-d.ended
	}
	if err := unmount(d.dir); err != nil {
		return errors.Join(append(all, err)...) // what is mounted must not be emptied
	}
	return errors.Join(append(all, os.RemoveAll(d.dir))...)
}

// unmount takes away what a dying dockerd left mounted below dir, the newest
// mounts first.
func unmount(dir string) error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	var all []error
	for _, line := range slices.Backward(strings.Split(string(mounts), "\n")) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], dir+"/") {
			if err := syscall.Unmount(fields[1], 0); err != nil {
				all = append(all, fmt.Errorf("unmount %s: %w", fields[1], err))
			}
		}
	}
	return errors.Join(all...)
}
