package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/probe"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

const defaultConfig = "/etc/gitlab-runner/config.toml"

type doctorOptions struct {
	outputFlag
	config, runner string
	offline        bool
	tries, force   bool // --probe, --force
}

func newDoctorCommand() *cobra.Command {
	var o doctorOptions
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find out why a runner does not get its instances",
		Long: `Examine GitLab Runner's configuration, this machine, and Azure, and print what is in
order, what is doubtful and what is wrong, each with its fix. Nothing is changed.

Exit codes: 0 no fault; 1 a fault was found, or the configuration cannot be read;
2 the command line is wrong.`,
		Example: "  fleeting-plugin-azure doctor\n  fleeting-plugin-azure doctor --runner ci --probe",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return o.run(c) },
	}
	o.add(c)
	f := c.Flags()
	f.StringVar(&o.config, "config", defaultConfig, "configuration of GitLab Runner")
	f.StringVar(&o.runner, "runner", "", "name of the one runner to examine; default: all that use this plugin")
	f.BoolVar(&o.tries, "probe", false, "create an instance, log in, ask its Docker, and remove it: for a scale set that no runner uses at the time")
	f.BoolVar(&o.force, "force", false, "with --probe: also where another manager has left its name; that must not run any more")
	f.BoolVar(&o.offline, "offline", false, "examine the configuration only, and ask Azure nothing")
	return c
}

func (o *doctorOptions) run(c *cobra.Command) error {
	file, err := runnerconfig.Read(o.config)
	if err != nil {
		return failed(err)
	}
	where := doctor.Options{File: file, Getenv: os.Getenv, UnitDirs: []string{"/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"}}
	report, err := doctor.Runners(where, o.runner)
	if err != nil {
		return failed(err)
	}
	t := terminalOf(c)
	if !o.offline {
		done := t.Spin("asking Azure")
		cloud, err := doctor.Cloud(c.Context(), where, o.runner, connect)
		done()
		if err = cmp.Or(err, c.Context().Err()); err != nil {
			return interrupted(c.Context(), err, "nothing was changed")
		}
		report.Findings = append(report.Findings, cloud.Findings...)
	}
	return o.conclude(c, t, where, report)
}

// conclude prints a report, and what a probe finds where there is no fault so far.
func (o *doctorOptions) conclude(c *cobra.Command, t terminal.Terminal, where doctor.Options, report *doctor.Report) (err error) {
	whole := struct {
		*doctor.Report
		Probe []probe.Step `json:"probe,omitempty"`
	}{Report: report}
	if !o.json() {
		printReport(t, report, o.config)
	}
	var tried error
	if o.tries && report.Worst() != doctor.Fault {
		whole.Probe, tried = o.probe(c, where)
	}
	if o.json() {
		err = writeJSON(c, whole)
	} else if o.tries {
		printSteps(t, whole.Probe)
	}
	switch {
	case err != nil:
		return failed(err)
	case tried != nil && len(whole.Probe) == 0:
		return failed(tried)
	case tried != nil || report.Worst() == doctor.Fault:
		return failed(nil)
	}
	return nil
}

// connect makes the clients for a configuration.
func connect(cfg config.Config) (doctor.Azure, doctor.ScaleSet, error) {
	client, err := armapi.New(cfg, armapi.Options{})
	if err != nil {
		return nil, nil, err
	}
	azure, err := resources(cfg)
	return azure, client, err
}

var _ doctor.Connect = connect

var styles = map[doctor.Level]terminal.Style{doctor.OK: terminal.Good, doctor.Warning: terminal.Doubtful, doctor.Fault: terminal.Bad, doctor.Skipped: terminal.Faint}

func printReport(t terminal.Terminal, r *doctor.Report, file string) {
	about := ""
	for _, f := range r.Findings {
		if f.About != about {
			about = f.About
			fmt.Fprintln(t.Out, about)
		}
		where := ""
		if f.Line > 0 {
			where = fmt.Sprintf("%s:%d: ", file, f.Line)
		}
		fmt.Fprintf(t.Out, "  %s %s: %s%s\n", t.Paint(styles[f.Level], fmt.Sprintf("%-7s", f.Level)), f.Check, where, f.Text)
		if f.Fix != "" {
			fmt.Fprintln(t.Out, t.Paint(terminal.Faint, "          fix: ")+strings.ReplaceAll(f.Fix, "\n", "\n               "))
		}
	}
	fmt.Fprintf(t.Out, "%d in order, %d doubtful, %d wrong, %d not looked at\n", r.Count(doctor.OK), r.Count(doctor.Warning), r.Count(doctor.Fault), r.Count(doctor.Skipped))
}

// interrupted is the error of a command that Ctrl-C ended.
func interrupted(ctx context.Context, err error, hint string) error {
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return failed(errors.New(strings.TrimSuffix("interrupted; "+hint, "; ")))
	}
	if err != nil {
		return failed(err)
	}
	return nil
}
