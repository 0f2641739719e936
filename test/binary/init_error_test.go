package binary_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

const otherID = "11111111-1111-4111-8111-111111111111"

// input is all that a user configures.
type input struct {
	config    launch.PluginConfig
	raw       json.RawMessage // instead of config
	env       launch.Environment
	connector provider.Settings
}

type change func(*input)

// badInput is a mistake, and what the one line that ends Init must say of it.
type badInput struct {
	name    string
	changes []change
	cause   string
	fix     string
}

func key(name string, value any) change { return func(in *input) { in.config[name] = value } }
func cloudKey(name, value string) change {
	return func(in *input) { in.config["cloud"].(launch.PluginConfig)[name] = value }
}
func variable(name, value string) change { return func(in *input) { in.env[name] = value } }
func without(names ...string) change {
	return func(in *input) {
		for _, name := range names {
			delete(in.env, name)
			delete(in.config, name)
		}
	}
}

// nobody leaves nothing to sign in with on this machine. The proxy keeps the
// search for an identity away from the network of the machine under test.
func nobody(in *input) {
	without("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")(in)
	in.env["HTTP_PROXY"], in.env["HTTPS_PROXY"] = "http://127.0.0.1:1", "http://127.0.0.1:1"
	in.env["PATH"], in.env["HOME"] = "/nonexistent", "/nonexistent"
}

var configMistakes = []badInput{
	{"typo in a key", []change{key("resource_grup_name", "ci")}, `unknown key "resource_grup_name"`, `did you mean "resource_group_name"?`},
	{"typo in the cloud", []change{key("cloud", "AzurePublik")}, `cloud "AzurePublik" is not known`, `did you mean "AzurePublic"?`},
	{"typo in the credential", []change{key("credential", "enviroment")}, "is not known", `did you mean "environment"?`},
	{"malformed resource ID", []change{key("name", "subscriptions/x/ci")}, "is not a well-formed resource ID", "use the scale set's name"},
	{"wrong type", []change{key("subscription_id", 12)}, "subscription_id is a number", "use a GUID"},
	{"empty config", []change{func(in *input) { in.raw = json.RawMessage("{}") }}, "name is missing", "use the scale set's name"},
	{"no config", []change{func(in *input) { in.raw = json.RawMessage("null") }}, "it is empty", "set at least name"},
	{"secret in config.toml", []change{key("client_secret", launch.ClientSecret)}, `"client_secret" is a secret`, "put it in a file"},
	{"secret as another value", []change{key("tenant_id", launch.ClientSecret)}, "tenant_id (value not shown)", "use a GUID"},
	{"password in the address", []change{cloudKey("authority_host", "https://u:"+launch.ClientSecret+"@login.example/")}, "authority_host (value not shown)", "use an https URL"},
	{"a flag of docker-machine", []change{key("azure-image", "Canonical:UbuntuServer:18.04-LTS:latest")}, `key "azure-image" is a flag of docker-machine`, "az vmss create --image"},
	{"a key of the table above", []change{key("max_instances", 10)}, `key "max_instances" belongs to [runners.autoscaler]`, "move it there"},
	{"SSH key that is none", []change{func(in *input) { in.connector.Key = []byte("ssh-ed25519 AAAA") }}, "not an SSH private key", "fix: name the private half"},
}

var placeMistakes = []badInput{
	{"wrong subscription", []change{key("subscription_id", otherID)}, "SubscriptionNotFound", "fix: check subscription_id"},
	{"wrong resource group", []change{key("resource_group_name", "elsewhere")}, "ResourceGroupNotFound", "fix: check name, resource_group_name"},
	{"wrong scale set", []change{key("name", "cii")}, `scale set "cii"`, "fix: check name"},
	{"scale set being deleted", []change{key("name", "going")}, "is being deleted", "fix: use another scale set"},
	{"overprovisioning", []change{key("name", "over")}, "overprovisioning is on", "fix: az vmss update --ids /subscriptions/"},
	{"upgrade policy Automatic", []change{key("name", "automatic")}, "upgrade policy", "upgradePolicy.mode=Manual"},
	{"upgrade policy Rolling", []change{key("name", "rolling")}, "upgrade policy", "upgradePolicy.mode=Manual"},
	{"automatic OS upgrade", []change{key("name", "osupgrade")}, "automatic OS upgrades are on", "enableAutomaticOSUpgrade=false"},
	{"missing permission", []change{variable("AZURE_CLIENT_ID", launch.OtherClientID)}, "AuthorizationFailed", "Microsoft.Compute/virtualMachineScaleSets/read"},
}

var signInMistakes = []badInput{
	{"wrong secret", []change{variable("AZURE_CLIENT_SECRET", "Zz98Q~wrong.wrong.wrong.wrong.wrong.wr")}, "AADSTS7000215", "fix: put the client secret's value"},
	{"wrong tenant", []change{variable("AZURE_TENANT_ID", otherID)}, "AADSTS90002", "fix: there is no such tenant; check tenant_id"},
	{"wrong client_id", []change{variable("AZURE_CLIENT_ID", otherID)}, "AADSTS700016", "check client_id"},
	{"wrong audience", []change{cloudKey("resource_manager_audience", "https://management.example/")}, "AADSTS500011", "resource_manager_audience"},
	{"nothing in the environment", []change{nobody}, "AZURE_TENANT_ID", "fix: set Azure's variables"},
	{"nothing to sign in with", []change{nobody, key("credential", "default")}, "no credential worked", "fix: set credential"},
	{"no workload identity", []change{nobody, key("credential", "workload_identity")}, "no client ID", "fix: set AZURE_CLIENT_ID"},
	{"no az login", []change{nobody, key("credential", "azure_cli")}, "executable not found", "fix: install the Azure CLI"},
	{"half a client secret", []change{nobody, key("credential", "client_secret")}, "tenant_id is missing", "set AZURE_TENANT_ID"},
	{"no secret file", []change{
		key("credential", "client_secret"), key("client_secret_file", "/nonexistent/secret"),
	}, "does not exist", "fix: create it or correct the path"},
	{"no certificate in the file", []change{
		key("credential", "client_certificate"), key("client_certificate_file", "/etc/hostname"),
	}, "contains no readable certificate with its private key", "fix: put both in one PEM"},
}

// networkMistakes take their time.
var networkMistakes = []badInput{
	{"no managed identity", []change{nobody, key("credential", "managed_identity")}, "ManagedIdentityCredential", "fix: run the runner on an Azure machine"},
	{"Azure refuses connections", []change{cloudKey("resource_manager_endpoint", "https://127.0.0.1:1")}, "connection refused", "fix: check that this machine reaches Azure"},
	{"Entra ID refuses connections", []change{cloudKey("authority_host", "https://127.0.0.1:1/"), variable("AZURE_AUTHORITY_HOST", "")}, "connection refused", "fix: check that this machine reaches Azure"},
	{"unknown host of Azure", []change{cloudKey("resource_manager_endpoint", "https://management.invalid")}, "management.invalid", "fix: check that this machine reaches Azure"},
	{"unknown host of Entra ID", []change{cloudKey("authority_host", "https://login.invalid/")}, "login.invalid", "fix: check that this machine reaches Azure"},
	{"dead proxy before Azure", []change{key("cloud", "AzurePublic"), without("AZURE_AUTHORITY_HOST"), variable("HTTPS_PROXY", "http://127.0.0.1:1")}, "proxyconnect", "HTTPS_PROXY"},
	{"certificate not trusted", []change{without("SSL_CERT_FILE")}, "x509", "fix: make this machine trust the certificate authority"},
}

// TestBadInput goes through fleeting, as the runner does.
func TestBadInput(t *testing.T) {
	t.Parallel()
	s := badInputSimulator(t)
	before, capacity := len(s.Journal()), s.Stats().Capacity
	slow := map[string]<-chan outcome{}
	unheard := slices.Concat(networkMistakes, silence(t))
	for _, b := range unheard {
		slow[b.name] = b.begin(t, s) // they wait in parallel with each other and all others
	}
	t.Run("each", func(t *testing.T) {
		for _, b := range slices.Concat(configMistakes, placeMistakes, signInMistakes, answerMistakes(t, s), unheard) {
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				ended, begun := slow[b.name]
				if !begun {
					ended = b.begin(t, s)
				}
				b.check(t, <-ended)
			})
		}
	})
	for _, e := range s.Journal()[before:] {
		assert.True(t, e.Method == http.MethodGet || e.Operation == "Token", "Init changed something: %+v", e)
	}
	assert.Equal(t, capacity, s.Stats().Capacity)
	assert.Empty(t, s.Stats().NotSimulated)
}

// outcome is how Init ended.
type outcome struct {
	err    error
	took   time.Duration
	plugin *launch.Plugin
}

// begin starts a plugin and its Init.
func (b badInput) begin(t *testing.T, s *armsim.Server) <-chan outcome {
	t.Helper()
	in := &input{config: launch.ConfigFor(s, "ci"), env: launch.EnvironmentOf(s), connector: launch.Login()}
	for _, c := range b.changes {
		c(in)
	}
	var config any = in.config
	if in.raw != nil {
		config = in.raw
	}
	p := launch.Start(t, in.env, config)
	ended := make(chan outcome, 1)
	go func() {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the runner's own limit
		defer cancel()
		began := time.Now()
		_, err := fleet.Init(ctx, hclog.NewNullLogger(), p, fleet.WithMaxSize(1), fleet.WithInstanceGroupSettings(in.connector))
		ended <- outcome{err, time.Since(began), p}
	}()
	return ended
}

func (b badInput) check(t *testing.T, o outcome) {
	require.Error(t, o.err)
	message := o.err.Error()
	t.Logf("%.1f s: %s", o.took.Seconds(), message)
	assert.Less(t, o.took, launch.InitLimit)
	assert.NotContains(t, message, "\n")
	assert.Contains(t, message, b.cause)
	assert.Contains(t, message, b.fix)
	assert.Less(t, len(message), 1500)
	for _, hidden := range []string{launch.ClientSecret, o.plugin.Env["AZURE_CLIENT_SECRET"], launch.Login().Password, "eyJ"} {
		if hidden != "" {
			assert.NotContains(t, message, hidden)
			assert.NotContains(t, o.plugin.Log.String(), hidden)
		}
	}
}

// badInputSimulator has one scale set for each way to be wrong.
func badInputSimulator(t *testing.T) *armsim.Server {
	s := launch.Simulator(t, armsim.Config{
		NoMachines: true, Delete: armsim.Duration{Median: time.Hour},
		Principals: []armsim.Principal{
			{ClientID: armsim.DefaultClientID, Secret: launch.ClientSecret},
			{ClientID: launch.OtherClientID, Secret: launch.ClientSecret, Actions: []string{"Microsoft.Insights/autoscaleSettings/read"}},
		},
	}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	policy := func(p launch.PluginConfig) func(map[string]any) {
		return func(model map[string]any) { model["properties"].(map[string]any)["upgradePolicy"] = p }
	}
	for name, change := range map[string]func(map[string]any){
		"going":     nil,
		"over":      func(model map[string]any) { model["properties"].(map[string]any)["overprovision"] = true },
		"automatic": policy(launch.PluginConfig{"mode": "Automatic"}),
		"rolling":   policy(launch.PluginConfig{"mode": "Rolling"}),
		"osupgrade": policy(launch.PluginConfig{"mode": "Manual", "automaticOSUpgradePolicy": launch.PluginConfig{"enableAutomaticOSUpgrade": true}}),
	} {
		spec := armsim.ScaleSetSpec{Name: name, Capacity: 1, Change: change}
		_, err := s.CreateScaleSet(t.Context(), spec)
		require.NoError(t, err)
	}
	require.NoError(t, s.Do(t.Context(), http.MethodDelete, s.ScaleSetPath("going"), "2025-04-01", launch.PluginConfig{}))
	return s
}
