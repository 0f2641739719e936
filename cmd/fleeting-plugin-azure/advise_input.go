package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/gitlab"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/prices"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

// adviseSource says where jobs come from.
type adviseSource struct {
	jobs, gitlab, runner, tokenFile string
	projects, tags                  []string
}

func (s *adviseSource) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.jobs, "jobs", "", "file with jobs, or - for standard input")
	f.StringVar(&s.gitlab, "gitlab", "", "address of GitLab to read jobs from, instead of --jobs")
	f.StringArrayVar(&s.projects, "project", nil, "ID or path of a project whose jobs count")
	f.StringVar(&s.runner, "runner", "", "ID of the runner whose jobs count")
	f.StringVar(&s.tokenFile, "token-file", "", "file with a token for GitLab, with the scope read_api; default: GITLAB_TOKEN of the environment")
	f.StringArrayVar(&s.tags, "tag", nil, "a tag that jobs must have")
}

func (s *adviseSource) check() error {
	switch {
	case s.jobs == "" && s.gitlab == "":
		return errors.New("--jobs names a file with jobs, or --gitlab where to read them from")
	case s.jobs != "" && s.gitlab != "":
		return errors.New("--jobs and --gitlab are two sources; give one")
	case s.gitlab != "" && len(s.projects) == 0 && s.runner == "":
		return errors.New("--gitlab needs --project or --runner")
	case s.gitlab != "" && len(s.projects) > 0 && s.runner != "":
		return errors.New("--gitlab reads the jobs of --project or of --runner; give one")
	}
	return nil
}

// filters are for the records of a file, which may be of anything.
func (s *adviseSource) filters() (runners, projects []string) {
	if s.gitlab != "" {
		return nil, nil
	}
	if s.runner != "" {
		runners = []string{s.runner}
	}
	return runners, s.projects
}

// open returns the records, and what they are called in an error.
func (s *adviseSource) open(ctx context.Context, stdin io.Reader, t terminal.Terminal, f jobs.Filter) (io.Reader, string, func(), error) {
	if s.gitlab != "" {
		return s.openGitLab(ctx, t, f.Since)
	}
	if s.jobs == "-" {
		return stdin, "standard input", func() {}, nil
	}
	file, err := os.Open(s.jobs)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, "", nil, fmt.Errorf("read jobs from %s: there is no such file", s.jobs)
	case errors.Is(err, os.ErrPermission):
		return nil, "", nil, fmt.Errorf("read jobs from %s: permission denied", s.jobs)
	case err != nil:
		return nil, "", nil, fmt.Errorf("read jobs: %w", err)
	}
	return file, s.jobs, func() { _ = file.Close() }, nil
}

func (s *adviseSource) openGitLab(ctx context.Context, t terminal.Terminal, since time.Time) (io.Reader, string, func(), error) {
	token := os.Getenv("GITLAB_TOKEN")
	if s.tokenFile != "" {
		text, err := readInput(s.tokenFile)
		if err != nil {
			return nil, "", nil, fmt.Errorf("read the token: %w", err)
		}
		token = string(text)
	}
	if since.IsZero() {
		since = time.Now().Add(-history).Truncate(24 * time.Hour)
	}
	show, end := t.Count("reading jobs")
	r, err := gitlab.Open(ctx, gitlab.Options{
		URL: s.gitlab, Token: strings.TrimSpace(token), Projects: s.projects, Runner: s.runner, Since: since,
		Progress: func(n int, oldest time.Time) { show(fmt.Sprintf("%d, back to %s", n, oldest.Format(time.DateOnly))) },
	})
	if err != nil {
		return nil, "", nil, err
	}
	return r, "GitLab", end, nil
}

// prices puts into an input what an instance costs.
func (o *adviseOptions) prices(ctx context.Context, in *advise.Input) error {
	in.Price, in.Currency = o.own, o.currency
	if o.own > 0 || o.off || o.size == "" {
		return nil
	}
	if o.estimator == nil {
		o.estimator = prices.New(prices.Options{})
	}
	q := prices.Query{Size: o.size, Location: o.location, Spot: o.spot, Currency: o.currency}
	if o.windows {
		q.OS = prices.Windows
	}
	p, err := o.estimator.Hourly(ctx, q)
	if err != nil {
		return fmt.Errorf("%w; fix: --price says what an instance costs an hour, --no-price leaves costs out", err)
	}
	in.Price, in.Currency = p.Amount, p.Currency
	return nil
}
