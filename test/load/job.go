package load

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"

	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/taskscaler"
)

// Job is a shell script that runs over SSH on an instance.
type Job struct {
	Number int
	Steps  int // it works for about so many seconds
}

// script works for a while and prints where it did.
const script = `mkdir -p job-%[1]d
cd job-%[1]d
rm -f log
echo begun
i=0; while [ $i -lt %[2]d ]; do i=$((i+1)); echo "step $i" >> log; sleep 1; done
echo "steps=$(wc -l < log)"
echo "where=$ARMSIM_INSTANCE $ARMSIM_VM_ID"
`

// singleUse fails on an instance that an earlier job has used.
const singleUse = `test ! -e used || { echo "an earlier job ran here: $(cat used)" >&2; exit 3; }
echo job-%d > used
`

// text is the whole script; alone: no other job ran on the instance.
func (j Job) text(alone bool) string {
	text := "set -eu\n"
	if alone {
		text += fmt.Sprintf(singleUse, j.Number)
	}
	return text + fmt.Sprintf(script, j.Number, j.Steps)
}

// output is a job's standard output; it calls begun at the first byte.
type output struct {
	text   bytes.Buffer // not embedded: its ReadFrom would bypass Write
	once   sync.Once
	begun  func() error
	failed error
}

func (o *output) Write(p []byte) (int, error) {
	o.once.Do(func() { o.failed = o.begun() })
	return o.text.Write(p)
}

// run runs the job's script and checks that it ran to its end, on the instance
// that the scaler gave it. begun is called at its first output.
func (j Job) run(ctx context.Context, a taskscaler.Acquisition, s *settings, begun func() error) error {
	info, err := a.InstanceConnectInfo(ctx)
	if err != nil {
		return err
	}
	client, err := connector.Dial(ctx, info, s.dial)
	if err != nil {
		return err
	}
	defer client.Close()
	out, stderr := output{begun: begun}, bytes.Buffer{}
	err = client.Run(ctx, connector.RunOptions{
		Command: "/bin/sh", Stdin: strings.NewReader(j.text(s.maxUseCount == 1)), Stdout: &out, Stderr: &stderr,
	})
	switch {
	case out.failed != nil:
		return out.failed
	case err != nil:
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return j.verify(out.text.String(), a.InstanceID())
}

// verify checks what a script printed.
func (j Job) verify(out, instance string) error {
	var ran int
	var name, vmID string
	if _, err := fmt.Sscanf(out, "begun\nsteps=%d\nwhere=%s %s", &ran, &name, &vmID); err != nil {
		return fmt.Errorf("job printed %q: %w", out, err)
	}
	if place := idOf(name, vmID); ran != j.Steps || place != instance {
		return fmt.Errorf("job ran %d of %d steps on %s; expected on %s", ran, j.Steps, place, instance)
	}
	return nil
}
