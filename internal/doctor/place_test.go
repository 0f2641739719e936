package doctor_test

import (
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/doctor"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/runnerconfig"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/setup"
)

// place is a simulated subscription with what setup made, and a runner's configuration
// for it. Everything in it is in virtual time.
type place struct {
	*testing.T
	sim      *armsim.Server
	admin    *armapi.Resources // may do everything
	setup    *setup.Setup
	settings string // config.toml
	env      map[string]string
}

// in runs a test in such a place.
func in(t *testing.T, c armsim.Config, spec func(*setup.Spec), run func(*place)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.InProcess, c.Subscription.Empty, c.Subscription.CheckReferences = true, true, true
		sim := armsim.Start(t, c)
		p := &place{T: t, sim: sim, env: map[string]string{}}
		for _, line := range sim.Env() {
			key, value, _ := strings.Cut(line, "=")
			p.env[key] = value
		}
		p.admin = p.resources(p.config())
		key, public := makeKey(t)
		s := setup.Spec{Subscription: p.env["AZURE_SUBSCRIPTION_ID"], Group: "runners", Location: "westeurope", Name: "ci", PublicKey: public}
		if spec != nil {
			spec(&s)
		}
		whole, err := s.Complete()
		require.NoError(t, err)
		p.setup = &setup.Setup{Spec: whole, Azure: p.admin}
		plan, err := p.setup.Plan(t.Context())
		require.NoError(t, err)
		require.NoError(t, p.setup.Apply(t.Context(), plan))
		block := p.setup.Spec.Block(setup.Runner{Executor: "docker-autoscaler", Max: 10, Key: key})
		p.settings = "concurrent = 10\n" + strings.Replace(block, `credential = "managed_identity"`, p.credential(), 1)
		run(p)
	})
}

func makeKey(t *testing.T) (path, public string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	path = filepath.Join(t.TempDir(), "id_ed25519")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(block), 0o600))
	return path, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

// credential is what plugin_config has in place of a managed identity, which is not
// simulated in virtual time.
func (p *place) credential() string {
	return `credential = "client_secret"
      tenant_id = "` + p.env["AZURE_TENANT_ID"] + `"
      client_id = "` + p.env["AZURE_CLIENT_ID"] + `"
      [runners.autoscaler.plugin_config.cloud]
        authority_host = "` + p.sim.Endpoint + `/"
        resource_manager_endpoint = "` + p.sim.Endpoint + `"
        resource_manager_audience = "` + p.sim.Audience + `"`
}

func (p *place) config() config.Config {
	return config.Config{
		SubscriptionID: p.env["AZURE_SUBSCRIPTION_ID"], Credential: "client_secret", TenantID: p.env["AZURE_TENANT_ID"], ClientID: p.env["AZURE_CLIENT_ID"],
		Cloud: config.Cloud{AuthorityHost: p.sim.Endpoint + "/", ResourceManagerEndpoint: p.sim.Endpoint, ResourceManagerAudience: p.sim.Audience},
	}
}

func (p *place) options() armapi.Options {
	return armapi.Options{Transport: &http.Client{Transport: p.sim.Transport()}, Getenv: func(key string) string { return p.env[key] }}
}

func (p *place) resources(cfg config.Config) *armapi.Resources {
	r, err := armapi.NewResources(cfg, p.options())
	require.NoError(p, err)
	return r
}

// examine is what the doctor finds, beside what is in order.
func (p *place) examine() (wrong []doctor.Finding) {
	p.Helper()
	name := filepath.Join(p.TempDir(), "config.toml")
	require.NoError(p, os.WriteFile(name, []byte(p.settings), 0o600))
	file, err := runnerconfig.Read(name)
	require.NoError(p, err)
	o := doctor.Options{File: file, Getenv: func(key string) string { return p.env[key] }}
	report, err := doctor.Runners(o, "")
	require.NoError(p, err)
	cloud, err := doctor.Cloud(p.Context(), o, "", func(cfg config.Config) (doctor.Azure, doctor.ScaleSet, error) {
		client, err := armapi.New(cfg, p.options())
		return p.resources(cfg), client, err
	})
	require.NoError(p, err)
	for _, f := range append(report.Findings, cloud.Findings...) {
		assert.NotContains(p, f.Text+f.Fix, cmp.Or(p.env["AZURE_CLIENT_SECRET"], "unset"))
		if f.Level != doctor.OK {
			wrong = append(wrong, f)
		}
	}
	return wrong
}

type body = map[string]any

// found are the findings of these levels.
func found(all []doctor.Finding, levels ...doctor.Level) (some []doctor.Finding) {
	for _, f := range all {
		if slices.Contains(levels, f.Level) {
			some = append(some, f)
		}
	}
	return some
}

func (p *place) group() string { return p.setup.Spec.GroupID() }

func (p *place) network(rest string) string {
	return p.group() + "/providers/Microsoft.Network/" + rest
}

func (p *place) subnet() string { return p.network("virtualNetworks/ci-vnet/subnets/ci") }

// do sends a request with all rights.
func (p *place) do(method, path, version string, content body) error {
	if content == nil {
		content = body{}
	}
	return p.sim.Do(p.Context(), method, path, version, content)
}

// patch changes the scale set.
func (p *place) patch(change body) error {
	return p.admin.Write(p.Context(), "VirtualMachineScaleSets_Update", p.setup.Spec.ScaleSetID(), change, nil)
}

// profile changes the model of new instances.
func (p *place) profile(change body) error {
	return p.patch(body{"properties": body{"virtualMachineProfile": change}})
}

// again makes the scale set again, with a change of its whole model.
func (p *place) again(change func(set body)) error {
	var set body
	id := p.setup.Spec.ScaleSetID()
	if err := p.admin.Get(p.Context(), "VirtualMachineScaleSets_Get", id, nil, &set); err != nil {
		return err
	}
	if err := p.admin.Write(p.Context(), "VirtualMachineScaleSets_Delete", id, nil, nil); err != nil {
		return err
	}
	change(set)
	return p.admin.Write(p.Context(), "VirtualMachineScaleSets_CreateOrUpdate", id, set, nil)
}

// within is an object within a model, by its path.
func within(o body, path ...string) body {
	for _, key := range path {
		o = o[key].(body)
	}
	return o
}

// edit replaces pairs of texts in the configuration, each of which must be there.
func (p *place) edit(pairs ...string) error {
	for n := 0; n < len(pairs); n += 2 {
		require.Contains(p, p.settings, pairs[n])
		p.settings = strings.ReplaceAll(p.settings, pairs[n], pairs[n+1])
	}
	return nil
}

// keyPath replaces the private key's file.
func (p *place) keyPath(path string) error {
	lines := strings.Split(p.settings, "\n")
	for n, line := range lines {
		if strings.Contains(line, "key_path") {
			lines[n] = `      key_path = "` + path + `"`
		}
	}
	p.settings = strings.Join(lines, "\n")
	return nil
}

func edits(pairs ...string) step { return func(p *place) error { return p.edit(pairs...) } }

func patches(change body) step { return func(p *place) error { return p.patch(change) } }

func profiles(change body) step { return func(p *place) error { return p.profile(change) } }

// steps are one after the other.
func steps(all ...step) step {
	return func(p *place) error {
		for _, one := range all {
			if err := one(p); err != nil {
				return err
			}
		}
		return nil
	}
}

// step changes a place.
type step func(*place) error
