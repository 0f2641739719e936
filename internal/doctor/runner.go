package doctor

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
)

// pluginName is what the runner calls this plugin, whatever is in front or behind.
const pluginName = "fleeting-plugin-azure"

// Options say where to look.
type Options struct {
	File     *runnerconfig.File
	Getenv   func(string) string // the environment of the runner
	UnitDirs []string            // of systemd, with the runner's unit and its drop-ins; nil: none
}

// runner is one of the configuration that uses this plugin.
type runner struct {
	settings *runnerconfig.Runner
	scaler   *runnerconfig.Autoscaler
	config   config.Config // of the plugin; zero where it is wrong
	bad      config.Problems
}

func (s *subject) line(key ...string) int {
	return s.File.Line(s.settings, append([]string{"autoscaler"}, key...)...)
}

// ErrNoRunner means that the configuration has no runner to examine.
var ErrNoRunner = errors.New("no runner")

// runnersOf are the runners that use this plugin; name chooses one of them. The error,
// in one line with its fix, is that there is none.
func runnersOf(o Options, name string) ([]*subject, error) {
	var all []*subject
	var others []string
	for n := range o.File.Runners {
		r := &o.File.Runners[n]
		switch {
		case name != "" && r.Name != name:
			others = append(others, fmt.Sprintf("%q", r.Name))
		case r.Autoscaler == nil:
			others = append(others, r.Title()+" has no [runners.autoscaler]")
		case r.Autoscaler.PluginName() != pluginName:
			others = append(others, fmt.Sprintf("%s has plugin = %q", r.Title(), r.Autoscaler.Plugin))
		default:
			all = append(all, newSubject(o, r))
		}
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, noRunner(o, name, others)
}

func noRunner(o Options, name string, others []string) error {
	switch {
	case len(o.File.Runners) == 0:
		return fmt.Errorf("%w: %s has no [[runners]]; fix: register one: gitlab-runner register", ErrNoRunner, o.File.Path)
	case name != "":
		return fmt.Errorf("%w: %s has no runner %q that uses this plugin (%s); fix: --runner takes a name of that file", ErrNoRunner, o.File.Path, name, strings.Join(others, ", "))
	}
	return fmt.Errorf("%w of %s uses this plugin (%s); fix: set plugin = %q in [runners.autoscaler]", ErrNoRunner, o.File.Path, strings.Join(others, ", "), pluginName)
}

func newSubject(o Options, r *runnerconfig.Runner) *subject {
	s := &subject{Options: o, name: r.Title(), runner: runner{settings: r, scaler: r.Autoscaler}}
	raw, err := r.Autoscaler.JSON()
	if err == nil {
		s.config, err = config.Parse(raw, o.Getenv)
	}
	if problems, ok := errors.AsType[config.Problems](err); ok {
		s.bad = problems
	} else if err != nil {
		s.bad = config.Problems{err.Error()}
	}
	return s
}

// Runners examines the configuration itself, and each runner of it that uses the plugin.
func Runners(o Options, name string) (*Report, error) {
	subjects, err := runnersOf(o, name)
	if err != nil {
		return nil, err
	}
	r := &Report{}
	for _, s := range subjects {
		r.Findings = append(r.Findings, examine(s, runnerChecks)...)
	}
	r.Findings = append(r.Findings, sharedSets(subjects)...)
	return r, nil
}

// Configs are the plugin's configurations of the runners that use it, each of which may
// have several scale sets.
func Configs(o Options, name string) (all []config.Config, err error) {
	subjects, err := runnersOf(o, name)
	for _, s := range subjects {
		if len(s.bad) > 0 {
			return nil, fmt.Errorf("%s: %w", s.name, s.bad)
		}
		all = append(all, s.config)
	}
	return all, err
}

// sharedSets are scale sets that two runners use.
func sharedSets(subjects []*subject) (found []Finding) {
	users := map[string]*subject{}
	for _, s := range subjects {
		if len(s.bad) > 0 {
			continue
		}
		for _, set := range s.config.Sets() {
			key := strings.ToLower(set.ScaleSetID())
			first := users[key]
			if first == nil {
				users[key] = s
				continue
			}
			f := fault(cmp.Or(s.line("plugin_config", "scale_sets"), s.line("plugin_config", "name")), fmt.Sprintf("uses the scale set %q, which %s uses, too: each would delete the other's instances, and the plugin that started first stops", set.Name, first.name),
				"give each [[runners]] scale sets of its own")
			f.Check, f.About = "shared-scale-set", s.name
			found = append(found, f)
		}
	}
	return found
}

// runnerChecks need nothing but the configuration and this machine.
var runnerChecks = []check{
	{"options", "plugin_config is valid", checkOptions},
	{"executor", "", checkExecutor},
	{"secrets", "the file holds no secret that others can read", checkSecrets},
	{"limits", "concurrent, limit and request_concurrency let all instances get jobs", checkLimits},
	{"policies", "each time has a policy, and jobs that wait count as demand", checkPolicies},
	{"login", "the private key can be read, by nobody else", checkLogin},
	{"shutdown", "", checkShutdown},
}

func checkOptions(s *subject) (found []Finding) {
	for _, problem := range s.bad {
		text, fix, _ := strings.Cut(problem, "; ")
		found = append(found, fault(s.optionLine(problem), "plugin_config: "+text, fix))
	}
	return found
}

// optionLine is the line of the key that a problem begins with.
func (s *subject) optionLine(problem string) int {
	for _, word := range strings.FieldsFunc(problem, func(r rune) bool { return strings.ContainsRune(` "':;,`, r) }) {
		if line := s.File.Lines[strings.Join([]string{s.File.Prefix(s.settings), "autoscaler", "plugin_config", word}, ".")]; line > 0 {
			return line
		}
	}
	return s.line("plugin_config")
}

func checkExecutor(s *subject) []Finding {
	if slices.Contains([]string{"docker-autoscaler", "instance"}, s.settings.Executor) {
		return nil
	}
	return []Finding{fault(s.File.Line(s.settings, "executor"), fmt.Sprintf("executor %q does not use [runners.autoscaler]", s.settings.Executor),
		`executor = "docker-autoscaler", to run jobs in containers, or "instance", to run them on the VM itself`)}
}

// checkShutdown looks for what lets the runner delete its instances when it is stopped
// (docs/guides/service.md).
func checkShutdown(s *subject) []Finding {
	if !s.scaler.DeleteInstancesOnShutdown || s.UnitDirs == nil {
		return nil
	}
	for _, dir := range s.UnitDirs {
		units, _ := filepath.Glob(filepath.Join(dir, "gitlab-runner.service"))
		dropIns, _ := filepath.Glob(filepath.Join(dir, "gitlab-runner.service.d", "*.conf"))
		for _, name := range append(units, dropIns...) {
			content, err := os.ReadFile(name)
			if err == nil && strings.Contains(string(content), "KillMode=mixed") {
				return nil
			}
		}
	}
	return []Finding{warning(s.line("delete_instances_on_shutdown"), "delete_instances_on_shutdown is set, but systemd ends the plugin along with the runner, so that nothing is deleted",
		"mkdir -p /etc/systemd/system/gitlab-runner.service.d\nprintf '[Service]\\nKillMode=mixed\\nKillSignal=SIGQUIT\\nTimeoutStopSec=2h\\n' > /etc/systemd/system/gitlab-runner.service.d/stop.conf\nsystemctl daemon-reload && systemctl restart gitlab-runner")}
}
