// Package rig runs the plugin under fleeting's provisioner against the simulator,
// all in one process and in virtual time, and checks with every request and every
// response that the plugin keeps its guarantees. It is for tests only.
package rig

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	azure "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
)

// Bubble is a simulator, the plugin and fleeting's provisioner in one process,
// for use within testing/synctest: nothing waits for a network, and hours pass
// in milliseconds. All that lies between them is real but the sockets: SDK,
// HTTP, JSON, tokens.
type Bubble struct {
	Sim          *armsim.Server
	MaxInstances int
	Poll         time.Duration // of the runner while something is under way; 0: fleeting's default
	Logger       hclog.Logger
	Invariants   *Invariants                               // what must hold at all times
	Middleware   func(http.RoundTripper) http.RoundTripper // what lies between plugin and simulator; nil: nothing
	PluginConfig map[string]any                            // further settings in plugin_config
	KeyFile      string                                    // the plugin logs in with its own key, in this file; empty: with a password

	Plugin      *azure.InstanceGroup
	Provisioner *fleeting.Provisioner
	Conn        *Connection
	abandoned   sync.WaitGroup // of provisioners that were left

	Circumstances

	spec    armsim.ScaleSetSpec
	more    []armsim.ScaleSetSpec // after the first
	cutOff  map[string]bool       // scale sets that cannot be reached
	crashed bool

	Warm         int       // warm_pool_size
	Surplussed   int       // instances that were made for the warm pool, and may have become the runner's
	Hidden       int       // instances that there were when Azure began to hide all of them
	surplusSince time.Time // when more ran than were asked for first; zero: they do not
}

// Circumstances are what the simulator was made to do, which the guarantees go by.
type Circumstances struct {
	Flexible      bool
	MayBeAbsent   bool // instances may never have been made
	OperationsLie bool // operations may fail, or writes seem to, whose instances were made
	External      int  // instances that somebody else asked for, or that were there
}

var testLog = hclog.NewNullLogger()

// ScaleSetName is the name of the scale set in a bubble.
const ScaleSetName = "ci"

// NewBubble makes a simulator with a scale set, and further ones with their own names for
// the same runner. The plugin is not started yet.
func NewBubble(c armsim.Config, spec armsim.ScaleSetSpec, more ...armsim.ScaleSetSpec) (*Bubble, error) {
	c.InProcess = true
	if c.Boot.Median == 0 {
		c.Boot = armsim.Duration{Median: 40 * time.Second, Spread: 0.3}
	}
	if c.Delete.Median == 0 {
		c.Delete = armsim.Duration{Median: 20 * time.Second, Spread: 0.3}
	}
	sim, err := armsim.New(c)
	if err != nil {
		return nil, err
	}
	spec.Name, spec.AdminPassword = ScaleSetName, "Not-a-real-1"
	if _, err := sim.CreateScaleSet(context.Background(), spec); err != nil {
		return nil, err
	}
	b := &Bubble{Sim: sim, MaxInstances: 8, Logger: testLog, spec: spec, more: more, cutOff: map[string]bool{}}
	b.Flexible, b.External = spec.OrchestrationMode == "Flexible", spec.Capacity
	for _, other := range more {
		other.AdminPassword = spec.AdminPassword
		if _, err := sim.CreateScaleSet(context.Background(), other); err != nil {
			return nil, err
		}
		b.External += other.Capacity
	}
	b.Invariants = newInvariants(b)
	return b, nil
}

// Start starts the plugin and the provisioner, as the runner does.
func (b *Bubble) Start() error {
	if b.Poll == 0 {
		b.Poll = fleeting.DefaultUpdateIntervalWhenExpecting
	}
	b.Conn = &Connection{bubble: b, next: b.Sim.Transport()}
	if b.Middleware != nil {
		b.Conn.next = b.Middleware(b.Conn.next)
	}
	if err := b.configure(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // as the runner
	defer cancel()
	var err error
	b.Provisioner, err = fleeting.Init(ctx, b.Logger, b.Invariants.Wrap(b.Plugin),
		fleeting.WithMaxSize(b.MaxInstances), fleeting.WithUpdateIntervalWhenExpecting(b.Poll), fleeting.WithInstanceGroupSettings(provider.Settings{ConnectorConfig: b.login()}))
	return err
}

func (b *Bubble) login() provider.ConnectorConfig {
	if b.KeyFile != "" {
		return provider.ConnectorConfig{}
	}
	return provider.ConnectorConfig{Username: "azureuser", Password: "Not-a-real-1", UseStaticCredentials: true}
}

// configure makes the plugin with its plugin_config, as fleeting does.
func (b *Bubble) configure() error {
	settings := map[string]any{
		"name": ScaleSetName, "subscription_id": armsim.DefaultSubscriptionID, "resource_group_name": armsim.DefaultResourceGroup,
		"cloud": map[string]any{
			"authority_host": b.Sim.Endpoint + "/", "resource_manager_endpoint": b.Sim.Endpoint, "resource_manager_audience": b.Sim.Audience,
		},
	}
	if len(b.more) > 0 {
		delete(settings, "name")
		settings["scale_sets"] = b.setNames()
	}
	if b.KeyFile != "" {
		settings["ssh_key_file"] = b.KeyFile
	}
	if b.Warm > 0 {
		settings["warm_pool_size"] = b.Warm
	}
	maps.Copy(settings, b.PluginConfig)
	raw, err := json.Marshal(settings)
	if err != nil {
		return err
	}
	b.Plugin = azure.New(armapi.Options{Transport: &http.Client{Transport: b.Conn}, Credential: credential{b.Sim}})
	return json.Unmarshal(raw, b.Plugin)
}

// Crash ends the plugin as kill -9 does: no request of it goes out any more. Its
// provisioner, which would have died with it, is left to end.
func (b *Bubble) Crash() {
	b.crashed = true
	b.Surplussed += b.Warm // what is not marked yet is the runner's then
	b.Conn.Cut()
	b.abandon(b.Provisioner)
	b.Provisioner = nil
	b.Invariants.AllowThrottling() // a new plugin counts its calls anew, Azure does not
}

func (b *Bubble) abandon(p *fleeting.Provisioner) {
	if p == nil {
		return
	}
	b.abandoned.Go(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		p.Shutdown(ctx)
	})
}

// Restart starts a new plugin after a crash; the runner tries until it works.
func (b *Bubble) Restart() error {
	var err error
	for range 60 {
		if err = b.Start(); err == nil {
			return nil
		}
		b.Conn.Cut()
		time.Sleep(30 * time.Second)
	}
	return fmt.Errorf("no restart within half an hour: %w", err)
}

// Close ends all goroutines. fleeting does not wait for its own, which sleeps
// for up to its update interval of a minute, and a list goes on for up to ten.
func (b *Bubble) Close() {
	b.Conn.Cut()
	b.abandon(b.Provisioner)
	b.abandoned.Wait()
	time.Sleep(11 * time.Minute)
	b.Sim.Close()
}

// Connection is the connection of one plugin process.
type Connection struct {
	bubble *Bubble
	next   http.RoundTripper

	mu          sync.Mutex
	broken      bool
	fatalMethod string // the method of a request during which the process dies
}

var errDead = errors.New("the process is dead")

// Cut ends the connection: no request goes out any more, and no response arrives.
func (c *Connection) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = true
}

// IsCut reports whether the process is dead.
func (c *Connection) IsCut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

// DieDuring lets the process die after the next request of a method was carried
// out, and before its response arrives.
func (c *Connection) DieDuring(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fatalMethod = method
}

// RoundTrip implements http.RoundTripper.
func (c *Connection) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.IsCut() {
		return nil, errDead
	}
	if c.bubble.isCutOff(r) {
		return Respond(r, http.StatusServiceUnavailable, ErrorBody("ServiceUnavailable", "The service is unavailable."))
	}
	after := c.bubble.Invariants.request(r)
	response, err := c.next.RoundTrip(r)
	after(response)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fatalMethod == r.Method {
		c.broken = true
	}
	if c.broken {
		return nil, errDead
	}
	return response, err
}

// credential signs in to a simulator.
type credential struct{ sim *armsim.Server }

// GetToken implements azcore.TokenCredential.
func (c credential) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.sim.Token()
	return azcore.AccessToken{Token: token, ExpiresOn: time.Now().Add(time.Hour)}, err
}
