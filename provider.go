package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/fallback"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/metrics"
)

var _ provider.InstanceGroup = (*InstanceGroup)(nil)

// Config is the content of plugin_config.
type Config = config.Config

// InstanceGroup is a scale set, or several, as fleeting drives it. fleeting decodes
// plugin_config into it and calls Init before all else; after that all methods
// may be called from any goroutine.
type InstanceGroup struct {
	Config

	begun    atomic.Bool    // Init was called
	raw      []byte         // plugin_config as it came, nil where Config was set in Go
	api      armapi.Options // how Azure is reached
	log      hclog.Logger
	settings provider.Settings // as the runner gave them
	sets     *fallback.Sets
	keys     map[string]*ownKey // by the scale set's resource ID in lower case
	reporter reporter

	updating chan struct{} // holds one token: at its shutdown fleeting updates alongside its own loop

	// closer is sets for Shutdown, which may be called at any time, even during
	// Init, by whatever notices that the process must end.
	closer atomic.Pointer[fallback.Sets]
	server atomic.Pointer[metrics.Server] // nil: no metrics are served
}

// New returns an instance group that reaches Azure as o says. The zero Options,
// which the zero InstanceGroup has too, are for Azure itself; tests put a
// transport and a credential of their own there.
func New(o armapi.Options) *InstanceGroup { return &InstanceGroup{api: o} }

// initTimeout leaves the runner time for the first Update within the minute
// that it gives both. Init takes a second or two; where Azure does not respond,
// the user should not wait long to read so, and the runner tries again anyway.
const initTimeout = 20 * time.Second

// UnmarshalJSON keeps plugin_config as it came. Init checks it: an error from
// here would reach the user without naming the setting, and
// encoding/json would ignore unknown keys.
func (g *InstanceGroup) UnmarshalJSON(raw []byte) error {
	g.raw = slices.Clone(raw)
	return nil
}

// Init checks the configuration, signs in and reads the scale sets. It changes
// nothing on Azure. Its error is one line that names the cause and the fix; the
// runner shows nothing else. A second Init is refused: a runner sends none, and
// where others can connect to the plugin (docs/reference/security.md) they must not
// have it sign in to an endpoint of theirs.
func (g *InstanceGroup) Init(ctx context.Context, logger hclog.Logger, settings provider.Settings) (provider.ProviderInfo, error) {
	if g.begun.Swap(true) {
		return provider.ProviderInfo{}, errInitialised
	}
	ctx, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	cfg, err := g.checkedConfig()
	if err != nil {
		return provider.ProviderInfo{}, err
	}
	g.log, g.settings, g.updating = logger, settings, make(chan struct{}, 1)
	serveMetrics, err := g.open(ctx, cfg, instancegroup.Options{
		Logger: logger, Owner: owner(), Timeouts: timeouts(cfg), ResourceGraph: cfg.UseResourceGraph.On(), Suspension: suspension(cfg), WarmPool: cfg.WarmPoolSize.Int(),
	})
	if err != nil {
		return provider.ProviderInfo{}, err
	}
	g.Config = cfg
	serveMetrics()
	v := Version()
	return provider.ProviderInfo{
		ID: providerID(cfg), MaxSize: g.sets.MaxSize(), Version: v.String(), BuildInfo: v.BuildInfo(), Capabilities: g.capabilities(),
	}, nil
}

// providerID names all scale sets.
func providerID(cfg Config) string {
	var names []string
	for _, set := range cfg.Sets() {
		names = append(names, set.ResourceGroupName+"/"+set.Name)
	}
	return "azure/" + strings.Join(names, ",")
}

func timeouts(cfg Config) instancegroup.Timeouts {
	t := instancegroup.Timeouts{Creation: cfg.CreationLimit.Std(), FailedGrace: cfg.FailedGrace.Std()}
	if t.FailedGrace == 0 {
		t.FailedGrace = -1 // none, as zero is the default there
	}
	return t
}

// owner names this process: what it manages, no other may.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%.100s process %d since %s", host, os.Getpid(), time.Now().UTC().Format(time.RFC3339))
}

func (g *InstanceGroup) checkedConfig() (Config, error) {
	raw := g.raw
	if raw == nil {
		var err error
		if raw, err = json.Marshal(g.Config); err != nil {
			return Config{}, fmt.Errorf("plugin_config: %w", err)
		}
	}
	return config.Parse(raw, os.Getenv)
}

var (
	errInitialised    = errors.New("the plugin has been initialised already, and takes one configuration only")
	errNotInitialised = errors.New("instance group is used before Init")
)

// Update reports the state of every instance. It calls fn from one goroutine,
// after everything was read: what is reported is complete. Dead instances are
// reported deleted, and deleted. So are instances that Azure accepted and never
// created, under IDs made up for them.
func (g *InstanceGroup) Update(ctx context.Context, fn func(instance string, state provider.State)) error {
	if g.sets == nil {
		return errNotInitialised
	}
	select {
	case g.updating <- struct{}{}:
		defer func() { <-g.updating }()
	case <-ctx.Done():
		return fmt.Errorf("update: %w", context.Cause(ctx))
	}
	v, err := g.sets.Observe(ctx)
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	discovered := g.reporter.report(&v.View, fn)
	g.reporter.reportNeverCreated(g.sets.ReconcilePending(ctx, v, discovered), fn)
	if err := g.sets.Reap(ctx, v); err != nil {
		g.log.Error("dead instances could not be removed; trying again with the next update", "operation", "reap", "error", err)
	}
	g.sets.KeepWarm(ctx, v)
	if err := g.sets.Tend(ctx, v); err != nil {
		g.log.Error("suspended instances could not be tended to; trying again with the next update", "operation", "suspend", "error", err)
	}
	return nil
}

// Increase asks Azure for n more instances and returns how many it accepted.
// Zero without an error means: not now, ask again.
func (g *InstanceGroup) Increase(ctx context.Context, n int) (int, error) {
	switch {
	case g.sets == nil:
		return 0, errNotInitialised
	case n <= 0:
		return 0, nil
	}
	return g.sets.Increase(ctx, n)
}

// Decrease deletes the given instances and returns those whose deletion Azure
// accepted or that no longer exist. The result is lost over gRPC alongside an error
// (fleeting's instance_group_server.go), so partial success is no error.
func (g *InstanceGroup) Decrease(ctx context.Context, instances []string) ([]string, error) {
	if g.sets == nil {
		return nil, errNotInitialised
	}
	done, err := g.sets.Decrease(ctx, instances)
	if err != nil && len(done) > 0 {
		g.log.Error("some instances could not be deleted; the runner asks again", "operation", "decrease",
			"count", len(instances)-len(done), "error", err)
		return done, nil
	}
	return done, err
}

// ConnectInfo returns where and how to log in to a running instance: the private
// address of the primary IP configuration of its primary network interface,
// and the public one where there is one. Where the plugin's own key is the login, it is
// the one that the instance was made with.
func (g *InstanceGroup) ConnectInfo(ctx context.Context, instance string) (provider.ConnectInfo, error) {
	if g.sets == nil {
		return provider.ConnectInfo{}, errNotInitialised
	}
	m, err := g.sets.Locate(ctx, instance)
	if err != nil {
		return provider.ConnectInfo{}, err
	}
	// The scale set may have been created again since Init, with another login.
	set := g.sets.ScaleSet(instance)
	login, err := connectorSettings(g.settings, set)
	if err == nil {
		err = g.keys[strings.ToLower(set.ID)].complete(&login, &m)
	}
	if err != nil {
		return provider.ConnectInfo{}, err
	}
	info := provider.ConnectInfo{ConnectorConfig: login.ConnectorConfig, ID: instance, InternalAddr: m.Private.String()}
	if m.Public.IsValid() {
		info.ExternalAddr = m.Public.String()
	}
	return info, nil
}

// Heartbeat returns an error if no job can run on the instance any more. It
// returns none when Azure cannot be asked: that says nothing about the instance.
func (g *InstanceGroup) Heartbeat(ctx context.Context, instance string) error {
	if g.sets == nil {
		return errNotInitialised
	}
	if err := g.sets.Check(ctx, instance); err != nil {
		return fmt.Errorf("%w: %w", provider.ErrInstanceUnhealthy, err)
	}
	return nil
}

// Shutdown ends all changes: none begins any more, and the one under way may
// finish until ctx ends. What Azure accepted goes on there. It may be called
// more than once, and concurrently with all other methods.
func (g *InstanceGroup) Shutdown(ctx context.Context) error {
	if server := g.server.Load(); server != nil {
		defer server.Close(ctx)
	}
	if sets := g.closer.Load(); sets != nil {
		return sets.Close(ctx)
	}
	return nil
}
