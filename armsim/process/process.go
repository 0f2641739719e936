// Package process runs the armsim command as a process of its own and speaks
// to its control endpoint: for tests and demonstrations in which nothing is
// shared with the simulator but the network. It imports package armsim for the
// types of the control endpoint's responses, and nothing else of this module.
package process

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// Process is a running armsim command. Env does not change after Start; all
// methods may be called from any goroutine.
type Process struct {
	Env map[string]string // what the command exported

	// ControlToken is the bearer token that the control endpoint demands.
	ControlToken string

	endTimeout time.Duration // until it is killed
	command    *exec.Cmd
	stdin      io.Closer
	stderr     strings.Builder // read it when the command has ended
}

// Start starts the armsim binary with the given flags and waits until it is
// ready. It ends when this process does, however that dies. The error holds
// what the command wrote to its standard error.
func Start(binary string, args ...string) (*Process, error) {
	p := &Process{Env: map[string]string{}, ControlToken: rand.Text(), endTimeout: 10 * time.Second}
	command := exec.Command(binary, append([]string{"--watch-stdin"}, args...)...)
	command.Env = append(os.Environ(), "ARMSIM_CONTROL_TOKEN="+p.ControlToken)
	command.Stderr = &p.stderr
	command.WaitDelay = p.endTimeout // what it started may still hold its standard error
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	p.command, p.stdin = command, stdin
	if !p.readExports(stdout) {
		_ = command.Wait() // that it failed is clear; why is in its standard error
		return nil, fmt.Errorf("start %s: %s", binary, p.message())
	}
	return p, nil
}

// Attach speaks to an armsim that somebody else started, by what it exported into this
// process's environment, and with the token in ARMSIM_CONTROL_TOKEN. Close leaves it as
// it is.
func Attach() (*Process, error) {
	p := &Process{Env: map[string]string{}, ControlToken: os.Getenv("ARMSIM_CONTROL_TOKEN")}
	for _, pair := range os.Environ() {
		if key, value, _ := strings.Cut(pair, "="); strings.HasPrefix(key, "ARMSIM_") {
			p.Env[key] = value
		}
	}
	if p.Env["ARMSIM_CONTROL"] == "" {
		return nil, errors.New("attach to armsim: ARMSIM_CONTROL is not set; fix: put what armsim printed into the environment")
	}
	return p, nil
}

// readExports reads the export lines and reports whether the command got ready.
func (p *Process) readExports(r io.Reader) bool {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if lines.Text() == "# ready" {
			return true
		}
		if assignment, ok := strings.CutPrefix(lines.Text(), "export "); ok {
			key, value, _ := strings.Cut(assignment, "=")
			p.Env[key] = strings.ReplaceAll(strings.Trim(value, "'"), `'\''`, "'")
		}
	}
	return false
}

// Setenv puts what the command exported into this process's environment, for
// the clients that it starts.
func (p *Process) Setenv() error {
	for key, value := range p.Env {
		if err := os.Setenv(key, value); err != nil {
			return fmt.Errorf("set %s: %w", key, err)
		}
	}
	return nil
}

// Close ends the command, by force if it lingers, and waits for it. The error
// says how it ended if not well, as after a panic or a data race.
func (p *Process) Close() error {
	if p.command == nil {
		return nil
	}
	_ = p.stdin.Close() // it may have ended before
	force := time.AfterFunc(p.endTimeout, func() { _ = p.command.Process.Kill() })
	defer force.Stop()
	if err := p.command.Wait(); err != nil {
		return fmt.Errorf("end armsim: %w: %s", err, p.message())
	}
	return nil
}

// message is the command's standard error, in one line.
func (p *Process) message() string {
	return strings.Join(strings.Fields(p.stderr.String()), " ")
}

// Stats asks for the counts.
func (p *Process) Stats(ctx context.Context) (armsim.Stats, error) {
	var s armsim.Stats
	return s, p.control(ctx, http.MethodGet, "/stats", nil, &s)
}

// Instances asks for every instance there is.
func (p *Process) Instances(ctx context.Context) ([]armsim.InstanceInfo, error) {
	var all []armsim.InstanceInfo
	return all, p.control(ctx, http.MethodGet, "/instances", nil, &all)
}

// Journal asks for the requests so far.
func (p *Process) Journal(ctx context.Context) ([]armsim.Entry, error) {
	var all []armsim.Entry
	return all, p.control(ctx, http.MethodGet, "/journal", nil, &all)
}

// Kill cuts the power of an instance, named by resource name or vmId.
func (p *Process) Kill(ctx context.Context, name string) error {
	return p.control(ctx, http.MethodPost, "/instances/"+name+"/kill", nil, nil)
}

// Evict takes away the capacity of a Spot instance, named by resource name or
// vmId.
func (p *Process) Evict(ctx context.Context, name string) error {
	return p.control(ctx, http.MethodPost, "/instances/"+name+"/evict", nil, nil)
}

// AddFaults puts rules into force, after those there are.
func (p *Process) AddFaults(ctx context.Context, faults ...armsim.Fault) error {
	return p.control(ctx, http.MethodPost, "/faults", faults, nil)
}

// ClearFaults ends all rules.
func (p *Process) ClearFaults(ctx context.Context) error {
	return p.control(ctx, http.MethodDelete, "/faults", nil, nil)
}

// Faults asks for the rules and how often each matched.
func (p *Process) Faults(ctx context.Context) ([]armsim.FaultState, error) {
	var all []armsim.FaultState
	return all, p.control(ctx, http.MethodGet, "/faults", nil, &all)
}

// AddEvents plans events from now on.
func (p *Process) AddEvents(ctx context.Context, events ...armsim.Event) error {
	return p.control(ctx, http.MethodPost, "/events", events, nil)
}

// controlTimeout bounds a control request; the endpoint is on this machine.
const controlTimeout = 30 * time.Second

// control sends body, if any, and reads the response into what is given, if any.
func (p *Process) control(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, controlTimeout)
	defer cancel()
	var encoded []byte
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return fmt.Errorf("control armsim: %s %s: %w", method, path, err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, p.Env["ARMSIM_CONTROL"]+path, bytes.NewReader(encoded))
	if err != nil {
		return fmt.Errorf("control armsim: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+p.ControlToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("control armsim: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return fmt.Errorf("control armsim: %s %s: status %d: %s", method, path, response.StatusCode, text)
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return fmt.Errorf("control armsim: %s %s: %w", method, path, err)
	}
	return nil
}
