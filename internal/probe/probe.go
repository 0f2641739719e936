// Package probe tries a scale set as the runner would use it: it makes one instance, logs
// in, asks its Docker, and removes it.
package probe

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"golang.org/x/crypto/ssh"
)

// Step is one thing that was tried.
type Step struct {
	Title string        `json:"title"`
	Took  time.Duration `json:"took"`
	Error string        `json:"error,omitempty"`
	Fix   string        `json:"fix,omitempty"`
}

// Options say what to try.
type Options struct {
	Group    provider.InstanceGroup // not initialised
	Settings provider.Settings
	External bool // connect to the public address
	Docker   bool // jobs run in containers

	Poll  time.Duration // between updates; 0: two seconds
	Limit time.Duration // for one instance to come up; 0: half an hour. A login has 5 minutes of it
	Begin func(title string)
}

// prober is one probe under way.
type prober struct {
	Options
	steps []Step
	id    string // of the instance that was made

	// client is nil before the login, and where that is over WinRM: a client that runs
	// commands there brings Kerberos and an XPath engine, a tenth of the plugin's size.
	client *ssh.Client
}

// Run tries everything in turn, as far as it gets, and removes the instance in any case:
// also when ctx is cancelled. The error is that of the step that failed.
func Run(ctx context.Context, o Options) (steps []Step, err error) {
	if o.Poll == 0 {
		o.Poll = 2 * time.Second
	}
	if o.Limit == 0 {
		o.Limit = 30 * time.Minute
	}
	if o.Settings.Timeout == 0 {
		o.Settings.Timeout = time.Minute // as fleeting's provisioner does where the runner sets none
	}
	p := &prober{Options: o}
	if err := p.step(ctx, "read the scale set", "", p.open); err != nil {
		return p.steps, err
	}
	err = p.try(ctx)
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Minute)
	defer cancel()
	if p.client != nil {
		_ = p.client.Close()
	}
	err = errors.Join(err, p.step(clean, "remove the instance", "delete what is left in the scale set: az vmss delete-instances", p.remove))
	_ = p.Group.Shutdown(clean)
	return p.steps, err
}

func (p *prober) try(ctx context.Context) error {
	const login = "doctor tells whether key_path is a key of the model; the network security group must let this machine in at the protocol's port"
	for _, s := range []struct {
		title, fix string
		run        func(context.Context) error
		remote     bool // it runs a command on the instance
		skip       bool
	}{
		{"create an instance", "the activity log of the resource group says why, and status shows an instance that is on its way", p.create, false, false},
		{"log in", login, p.dial, false, false},
		{"run a command", login, p.command, true, false},
		{"wait for cloud-init", "look at /var/log/cloud-init-output.log on an instance", p.cloudInit, true, false},
		{"ask Docker", "the image needs Docker, and the user must be in the group docker: setup's cloud-init sees to both", p.docker, true, !p.Docker},
	} {
		if s.skip || s.remote && p.client == nil {
			continue
		}
		if err := p.step(ctx, s.title, s.fix, s.run); err != nil {
			return err
		}
	}
	return nil
}

func (p *prober) step(ctx context.Context, title, fix string, run func(context.Context) error) error {
	if p.Begin != nil {
		p.Begin(title)
	}
	begun := time.Now()
	err := run(ctx)
	s := Step{Title: title, Took: time.Since(begun)}
	if err != nil {
		s.Error, s.Fix = strings.ReplaceAll(err.Error(), "\n", "; "), fix
		if text, own, found := strings.Cut(s.Error, "; fix: "); found {
			s.Error, s.Fix = text, own
		}
		err = fmt.Errorf("%s: %w", title, err)
	}
	p.steps = append(p.steps, s)
	return err
}

func (p *prober) open(ctx context.Context) error {
	_, err := p.Group.Init(ctx, hclog.NewNullLogger(), p.Settings)
	if err != nil {
		return err
	}
	states, err := p.update(ctx)
	if err == nil && len(states) > 0 {
		return fmt.Errorf("it has %d instances already; a probe is for one that is not in use; fix: stop the runner, and wait until they are gone", len(states))
	}
	return err
}

func (p *prober) update(ctx context.Context) (map[string]provider.State, error) {
	states := map[string]provider.State{}
	err := p.Group.Update(ctx, func(id string, state provider.State) { states[id] = state })
	return states, err
}

// create makes one instance, and waits until it runs.
func (p *prober) create(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.Limit)
	defer cancel()
	made := false
	for {
		if !made {
			n, err := p.Group.Increase(ctx, 1)
			if err != nil {
				return err
			}
			made = n > 0
		}
		states, err := p.update(ctx)
		if err != nil {
			return err
		}
		for id, state := range states {
			if p.id = id; state == provider.StateRunning {
				return nil
			}
			if state == provider.StateDeleted {
				return errors.New("Azure accepted the instance, and did not make it")
			}
		}
		if err := pause(ctx, p.Poll); err != nil {
			return fmt.Errorf("it did not come up within %s", p.Limit)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// loginLimit is how long sshd may take after the instance runs.
const loginLimit = 5 * time.Minute

func (p *prober) dial(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, min(loginLimit, p.Limit))
	defer cancel()
	info, err := p.Group.ConnectInfo(ctx, p.id)
	if err != nil {
		return err
	}
	return p.awaitLogin(ctx, info)
}

// run runs a command and returns what it writes.
func (p *prober) run(ctx context.Context, command, stdin string) (string, error) {
	session, err := p.client.NewSession()
	if err != nil {
		return "", fmt.Errorf("%s: %w", command, err)
	}
	defer session.Close()
	defer context.AfterFunc(ctx, func() { _ = p.client.Close() })()
	var out, problems bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader(stdin), &out, &problems
	if err := session.Run(command); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %.200s", command, cmp.Or(ctx.Err(), err), strings.TrimSpace(problems.String()))
	}
	return out.String(), nil
}

func (p *prober) command(ctx context.Context) error {
	out, err := p.run(ctx, "echo ready", "")
	if err == nil && strings.TrimSpace(out) != "ready" {
		return fmt.Errorf("echo ready gave %.80q", out)
	}
	return err
}

// cloudInit waits as instance_ready_command does; 2 means done with warnings. An image
// without cloud-init has nothing to wait for.
func (p *prober) cloudInit(ctx context.Context) error {
	if strings.EqualFold(p.Settings.OS, "windows") {
		return nil
	}
	_, err := p.run(ctx, "command -v cloud-init >/dev/null || exit 0; cloud-init status --wait || test $? -eq 2", "")
	return err
}

// docker asks as the runner does, which has the instance's Docker client pass its requests
// on.
func (p *prober) docker(ctx context.Context) error {
	out, err := p.run(ctx, "docker system dial-stdio", "GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
	if err == nil && !strings.Contains(out, " 200 OK") {
		return fmt.Errorf("docker system dial-stdio answered %.120q", out)
	}
	return err
}

// remove deletes what was made, and waits until it is gone.
func (p *prober) remove(ctx context.Context) error {
	for {
		states, err := p.update(ctx)
		if err != nil {
			return err
		}
		var left []string
		for id, state := range states {
			if state == provider.StateCreating || state == provider.StateRunning {
				left = append(left, id)
			}
		}
		if len(states) == 0 || len(left) == 0 && allDeleted(states) {
			return nil
		}
		if len(left) > 0 {
			if _, err := p.Group.Decrease(ctx, left); err != nil {
				return err
			}
		}
		if err := pause(ctx, p.Poll); err != nil {
			return errors.New("the instance is not gone yet")
		}
	}
}

func allDeleted(states map[string]provider.State) bool {
	for _, state := range states {
		if state != provider.StateDeleted {
			return false
		}
	}
	return true
}
