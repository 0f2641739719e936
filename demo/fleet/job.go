package fleet

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"

	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/taskscaler"
)

// Job is a shell script that runs over SSH on an instance of its own.
type Job struct {
	Number int
	Steps  int          // it works for about so many seconds
	Begun  func() error // called at its first sign of life, if set
}

// script works for a while and tells where it did. It fails on an instance that
// an earlier job has used.
const script = `set -eu
test ! -e used || { echo "an earlier job ran here: $(cat used)" >&2; exit 3; }
echo job-%[1]d > used
echo begun
i=0; while [ $i -lt %[2]d ]; do i=$((i+1)); echo "step $i" >> log; sleep 1; done
echo "steps=$(wc -l < log)"
echo "where=$ARMSIM_INSTANCE $ARMSIM_VM_ID"
`

// output is a job's; it calls begun at the first sign of life.
type output struct {
	text   bytes.Buffer // not embedded: its ReadFrom would pass Write by
	once   sync.Once
	begun  func() error
	failed error
}

func (o *output) Write(p []byte) (int, error) {
	o.once.Do(func() {
		if o.begun != nil {
			o.failed = o.begun()
		}
	})
	return o.text.Write(p)
}

// Run runs the job's script and checks that it ran to its end, on the instance
// that the scaler gave it.
func (j Job) Run(ctx context.Context, a taskscaler.Acquisition) error {
	info, err := a.InstanceConnectInfo(ctx)
	if err != nil {
		return err
	}
	client, err := connector.Dial(ctx, info, connector.DialOptions{})
	if err != nil {
		return err
	}
	defer client.Close()
	out, complaint := output{begun: j.Begun}, bytes.Buffer{}
	err = client.Run(ctx, connector.RunOptions{
		Command: "/bin/sh", Stdin: strings.NewReader(fmt.Sprintf(script, j.Number, j.Steps)), Stdout: &out, Stderr: &complaint,
	})
	switch {
	case out.failed != nil:
		return out.failed
	case err != nil:
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return j.proof(out.text.String(), a.InstanceID())
}

// proof checks what a script told.
func (j Job) proof(out, instance string) error {
	var ran int
	var name, vmID string
	if _, err := fmt.Sscanf(out, "begun\nsteps=%d\nwhere=%s %s", &ran, &name, &vmID); err != nil {
		return fmt.Errorf("job told %q: %w", out, err)
	}
	if place := ID(name, vmID); ran != j.Steps || place != instance {
		return fmt.Errorf("job ran %d of %d steps on %s; expected on %s", ran, j.Steps, place, instance)
	}
	return nil
}

// ID is the plugin's ID of an instance: its resource name and the first eight
// digits of its vmId.
func ID(name, vmID string) string {
	return strings.ToLower(name) + "-" + vmID[:min(8, len(vmID))]
}

// Name is the resource name in the plugin's ID of an instance.
func Name(id string) string {
	return id[:max(0, strings.LastIndexByte(id, '-'))]
}
