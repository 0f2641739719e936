package runnerconfig

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// File is a config.toml.
type File struct {
	Path       string
	Mode       os.FileMode // zero where it was not read from a file
	Lines      Lines
	Concurrent int      `toml:"concurrent"`
	Interval   int      `toml:"check_interval"` // seconds between questions for jobs
	Runners    []Runner `toml:"runners"`
}

// Runner is one [[runners]]. Zero numbers mean the runner's defaults.
type Runner struct {
	Name               string      `toml:"name"`
	URL                string      `toml:"url"`
	Executor           string      `toml:"executor"`
	Limit              int         `toml:"limit"`
	RequestConcurrency int         `toml:"request_concurrency"`
	Autoscaler         *Autoscaler `toml:"autoscaler"`

	place int
}

// Autoscaler is [runners.autoscaler].
type Autoscaler struct {
	Plugin                    string         `toml:"plugin"`
	CapacityPerInstance       int            `toml:"capacity_per_instance"`
	MaxUseCount               int            `toml:"max_use_count"`
	MaxInstances              int            `toml:"max_instances"`
	DeleteInstancesOnShutdown bool           `toml:"delete_instances_on_shutdown"`
	InstanceReadyCommand      string         `toml:"instance_ready_command"`
	PluginConfig              map[string]any `toml:"plugin_config"`
	Connector                 Connector      `toml:"connector_config"`
	Policies                  []Policy       `toml:"policy"`
	AcquireTimeout            time.Duration  `toml:"instance_acquire_timeout"`
	ScaleThrottle             ScaleThrottle  `toml:"scale_throttle"`
}

// ScaleThrottle is [runners.autoscaler.scale_throttle]: instances a second, and at once.
type ScaleThrottle struct {
	Limit int `toml:"limit"`
	Burst int `toml:"burst"`
}

// Connector is [runners.autoscaler.connector_config].
type Connector struct {
	OS                   string        `toml:"os"`
	Protocol             string        `toml:"protocol"`
	ProtocolPort         int           `toml:"protocol_port"`
	Username             string        `toml:"username"`
	Password             string        `toml:"password"`
	KeyPath              string        `toml:"key_path"`
	UseStaticCredentials bool          `toml:"use_static_credentials"`
	UseExternalAddr      bool          `toml:"use_external_addr"`
	Timeout              time.Duration `toml:"timeout"`
}

// Policy is one [[runners.autoscaler.policy]]. Of those whose periods contain a time,
// the last one holds (taskscaler, schedule.go).
type Policy struct {
	Periods          []string       `toml:"periods"`
	Timezone         string         `toml:"timezone"`
	IdleCount        int            `toml:"idle_count"`
	IdleTime         *time.Duration `toml:"idle_time"` // nil: not set, which is 0
	ScaleFactor      float64        `toml:"scale_factor"`
	ScaleFactorLimit int            `toml:"scale_factor_limit"`
	PreemptiveMode   *bool          `toml:"preemptive_mode"` // nil: on where IdleCount is not 0
}

// Preemptive reports whether jobs are taken only while an instance is idle, as the
// runner decides it (PreemptiveModeEnabled in its common/config.go, since 18.1).
func (p *Policy) Preemptive() bool {
	if p.PreemptiveMode == nil {
		return p.IdleCount > 0
	}
	return *p.PreemptiveMode
}

// Read reads a config.toml. The error is one line that names the file, for a fault in it
// the line, and the fix.
func Read(name string) (*File, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("read %s: there is no such file; fix: --config names the config.toml of GitLab Runner, mostly /etc/gitlab-runner/config.toml", name)
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, unwrap(err))
	case info.IsDir():
		return nil, fmt.Errorf("read %s: it is a directory; fix: --config names a file", name)
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("read %s: permission denied; fix: run this as the user that GitLab Runner runs as, or as root", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, unwrap(err))
	}
	f, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	f.Path, f.Mode = name, info.Mode().Perm()
	return f, nil
}

// unwrap takes the file's name out of an error that is put behind it.
func unwrap(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}

// Parse reads the text of a config.toml. The error begins with the line.
func Parse(data []byte) (*File, error) {
	lines, err := index(data)
	if err != nil {
		return nil, err
	}
	f := &File{Lines: lines}
	if _, err := toml.Decode(string(data), f); err != nil {
		if e, ok := errors.AsType[toml.ParseError](err); ok {
			return nil, fmt.Errorf("line %d: %s", e.Position.Line, e.Message)
		}
		return nil, errors.New(strings.TrimPrefix(err.Error(), "toml: "))
	}
	for n := range f.Runners {
		f.Runners[n].place = n
	}
	return f, nil
}

// Line is where a key of a runner stands; 0: nowhere.
func (f *File) Line(r *Runner, key ...string) int {
	return f.Lines.Of(append([]string{"runners", strconv.Itoa(r.place)}, key...)...)
}

// Prefix is the path of a runner in Lines.
func (f *File) Prefix(r *Runner) string { return "runners." + strconv.Itoa(r.place) }

// Title names a runner for people.
func (r *Runner) Title() string {
	if r.Name != "" {
		return fmt.Sprintf("runner %q", r.Name)
	}
	return fmt.Sprintf("runner number %d, which has no name", r.place+1)
}

// PluginName is the last part of what plugin names: the binary by its name or path, or an
// OCI reference with or without registry and version.
func (a *Autoscaler) PluginName() string {
	name := path.Base(strings.ReplaceAll(a.Plugin, `\`, "/"))
	name, _, _ = strings.Cut(name, ":")
	return strings.TrimSuffix(name, ".exe")
}

// JSON is plugin_config as the runner gives it to the plugin.
func (a *Autoscaler) JSON() ([]byte, error) { return json.Marshal(a.PluginConfig) }

// Capacity is how many jobs run at the same time at most; 0: no limit is set.
func (a *Autoscaler) Capacity() int { return a.MaxInstances * max(1, a.CapacityPerInstance) }
