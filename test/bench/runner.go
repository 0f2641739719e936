package bench

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/hashicorp/go-hclog"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"gitlab.com/gitlab-org/fleeting/taskscaler"

	azure "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
)

// The plugins that are compared.
const (
	pluginNaive = "naive"
	pluginOurs  = "ours"
)

// runner is a runner's scaler with a plugin, for one scale set.
type runner struct {
	taskscaler.Taskscaler
	sub    *subscription
	set    string
	plugin string
	meter  *meter
	group  *watched
	ctx    context.Context // of its instances' preparation
	cancel context.CancelFunc
}

const maxInstances = 1000 // of a Uniform scale set

// newRunner starts a plugin and its scaler as GitLab Runner does with executor
// docker-autoscaler and the options of examples/docker-autoscaler.toml at night.
func newRunner(sub *subscription, s Setting, plugin, set string, maxUse int) (*runner, error) {
	r := &runner{sub: sub, set: set, plugin: plugin, meter: &meter{next: sub.Transport(), latency: s.Latency, begun: time.Now()}}
	group, err := r.open(s)
	if err != nil {
		return nil, err
	}
	r.group = &watched{InstanceGroup: group, told: map[string]time.Time{}}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	ctx, cancel := context.WithTimeout(r.ctx, time.Minute)
	defer cancel()
	r.Taskscaler, err = taskscaler.New(ctx, r.group,
		taskscaler.WithReservations(),
		taskscaler.WithCapacityPerInstance(1), taskscaler.WithMaxUseCount(maxUse), taskscaler.WithMaxInstances(maxInstances),
		taskscaler.WithLogger(hclog.NewNullLogger()), taskscaler.WithInstanceUpFunc(r.ready),
		taskscaler.WithInstanceGroupSettings(provider.Settings{ConnectorConfig: provider.ConnectorConfig{
			Username: "azureuser", Password: password, UseStaticCredentials: true,
		}}))
	if err != nil {
		return nil, err
	}
	return r, r.schedule(0, 5*time.Minute)
}

// ready is what GitLab Runner does when it has an instance's ConnectInfo, less the
// ready command.
func (r *runner) ready(_ taskscaler.Taskscaler, i taskscaler.UpFuncInstance) error {
	if i.Cause == fleeting.CausePreexisted && !i.Restored {
		return errors.New("no data on pre-existing instance so removing for safety")
	}
	return r.group.connect(r.ctx, i.ID)
}

// schedule is a policy without preemptive mode.
func (r *runner) schedule(idleCount int, idleTime time.Duration) error {
	return r.ConfigureSchedule(taskscaler.Schedule{IdleCount: idleCount, IdleTime: idleTime})
}

func (r *runner) open(s Setting) (provider.InstanceGroup, error) {
	transport := &http.Client{Transport: r.meter}
	if r.plugin == pluginNaive {
		return &naive{
			subscription: armsim.DefaultSubscriptionID, group: armsim.DefaultResourceGroup, name: r.set, flexible: s.Mode == modeFlexible,
			credential: credential{r.sub.Server}, options: &arm.ClientOptions{ClientOptions: policy.ClientOptions{Transport: transport, Cloud: r.cloud()}},
		}, nil
	}
	options := map[string]any{
		"name": r.set, "subscription_id": armsim.DefaultSubscriptionID, "resource_group_name": armsim.DefaultResourceGroup,
		"cloud": map[string]any{
			"authority_host": r.sub.Endpoint + "/", "resource_manager_endpoint": r.sub.Endpoint, "resource_manager_audience": r.sub.Audience,
		},
	}
	maps.Copy(options, s.Plugin)
	raw, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	group := azure.New(armapi.Options{Transport: transport, Credential: credential{r.sub.Server}})
	return group, json.Unmarshal(raw, group)
}

func (r *runner) cloud() cloud.Configuration {
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: r.sub.Endpoint,
		Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: {Endpoint: r.sub.Endpoint, Audience: r.sub.Audience}},
	}
}

// idOf is the plugin's ID of an instance.
func (r *runner) idOf(one run) string {
	if r.plugin == pluginNaive {
		return one.id
	}
	return strings.ToLower(one.name) + "-" + one.vmID[:8]
}

// delays are how long after they ran at Azure instances were told to run; those that
// never were count until now.
func (r *runner) delays() []time.Duration {
	r.group.mu.Lock()
	defer r.group.mu.Unlock()
	var all []time.Duration
	for _, one := range r.sub.runs(r.set) {
		told, ok := r.group.told[r.idOf(one)]
		if !ok {
			told = time.Now()
		}
		all = append(all, max(0, told.Sub(one.since)))
	}
	return all
}

// end ends scaler and plugin. Their goroutines, for which nobody waits, sleep for a
// minute at most.
func (r *runner) end() {
	r.cancel()
	r.meter.end()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r.Shutdown(ctx)
	time.Sleep(11 * time.Minute) // a list may go on for ten
}
