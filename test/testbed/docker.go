package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing/fstest"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/dockerengine"
)

// Docker is the Docker Engine that the simulated instances share, and images for
// jobs and for the runner's helper of this testbed alone. Nothing is pulled.
type Docker struct {
	engine           *dockerengine.Engine
	jobImage, helper string
}

// label is the start of the names of the labels that GitLab Runner gives to what
// it makes (its executors/docker/internal/labels).
const label = "com.gitlab.gitlab-runner."

// newDocker finds or starts an engine and makes the images, the helper's from
// the runner's binary: it has the helper's commands, too. The error names what is
// missing.
func newDocker(ctx context.Context, runner string) (*Docker, error) {
	e, err := dockerengine.Start(ctx)
	if err != nil {
		return nil, err
	}
	d := &Docker{engine: e}
	if d.jobImage, err = e.Import(ctx, "fleeting-plugin-azure-e2e/job", nil, pathLine); err == nil {
		err = d.importHelper(ctx, runner)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return d, nil
}

const (
	pathLine = "ENV PATH=/usr/local/bin:/usr/bin:/bin"

	// helperBuild is what the runner starts in the helper's container. The script
	// of a stage comes on standard input.
	helperBuild = "#!/bin/sh\nexec /bin/sh\n"
)

func (d *Docker) importHelper(ctx context.Context, runner string) error {
	program, err := os.ReadFile(runner)
	if err != nil {
		return err
	}
	d.helper, err = d.engine.Import(ctx, "fleeting-plugin-azure-e2e/helper", fstest.MapFS{
		"usr/bin/gitlab-runner-build":  {Data: []byte(helperBuild), Mode: 0o755},
		"usr/bin/gitlab-runner-helper": {Data: program, Mode: 0o755},
	}, pathLine)
	return err
}

func (d *Docker) host() string { return "unix://" + d.engine.Socket() }

// containers are the IDs of those made from the images, for one job or for any
// (0).
func (d *Docker) containers(ctx context.Context, job int64) ([]string, error) {
	args := []string{"ps", "--all", "--quiet", "--filter", "ancestor=" + d.jobImage, "--filter", "ancestor=" + d.helper}
	if job != 0 {
		args = append(args, "--filter", "label="+label+"job.id="+strconv.FormatInt(job, 10))
	}
	out, err := d.run(ctx, args...)
	return strings.Fields(out), err
}

// Kill removes the containers of a job, or of all (0), and returns how many: an
// instance with an engine of its own takes them along.
func (d *Docker) Kill(ctx context.Context, job int64) (int, error) {
	found, err := d.containers(ctx, job)
	if err != nil || len(found) == 0 {
		return 0, err
	}
	_, err = d.run(ctx, append([]string{"rm", "--force", "--volumes"}, found...)...)
	return len(found), err
}

// sweep removes all that a runner of the GitLab at url has made: containers, and
// the volumes that it keeps for later jobs, which have a job's address as label.
func (d *Docker) sweep(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, err := d.Kill(ctx, 0)
	out, failed := d.run(ctx, "volume", "ls", "--filter", "label="+label+"managed=true", "--format", `{{.Name}} {{.Label "`+label+`job.url"}}`)
	err = errors.Join(err, failed)
	for line := range strings.Lines(out) {
		if name, job, _ := strings.Cut(line, " "); strings.HasPrefix(job, url+"/") {
			_, failed := d.run(ctx, "volume", "rm", "--force", name)
			err = errors.Join(err, failed)
		}
	}
	return err
}

func (d *Docker) run(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", append([]string{"--host", d.host()}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("docker %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
