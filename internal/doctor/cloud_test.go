package doctor_test

import (
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
		c.InProcess, c.Subscription = true, armsim.Subscription{Empty: true, CheckReferences: true}
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
		assert.NotContains(p, f.Text+f.Fix, p.env["AZURE_CLIENT_SECRET"])
		if f.Level != doctor.OK {
			wrong = append(wrong, f)
		}
	}
	return wrong
}

// TestDoctorAfterSetup: with what setup made, and the configuration that it printed, all
// is in order.
func TestDoctorAfterSetup(t *testing.T) {
	for name, spec := range map[string]func(*setup.Spec){
		"Uniform": nil, "Flexible": func(s *setup.Spec) { s.Mode = "Flexible" }, "Spot": func(s *setup.Spec) { s.Spot = true },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, armsim.Config{}, spec, func(p *place) { assert.Empty(p, p.examine()) })
		})
	}
}

type body = map[string]any

// TestCloudFaults: each yields exactly the finding that it should, with a fix, and after
// the fix there is none.
func TestCloudFaults(t *testing.T) {
	group := func(p *place) string { return p.setup.Spec.GroupID() }
	subnet := func(p *place) string {
		return group(p) + "/providers/Microsoft.Network/virtualNetworks/ci-vnet/subnets/ci"
	}
	patch := func(change body) func(*place) error {
		return func(p *place) error {
			return p.admin.Write(p.Context(), "VirtualMachineScaleSets_Update", p.setup.Spec.ScaleSetID(), change, nil)
		}
	}
	for name, c := range map[string]struct {
		config armsim.Config
		broken func(*place) error
		mended func(*place) error
		check  string
		level  doctor.Level
		text   string
		fix    string
	}{
		"a lock": {
			broken: func(p *place) error {
				return p.sim.Do(p.Context(), "PUT", group(p)+"/providers/Microsoft.Authorization/locks/keep", "2016-09-01", body{"properties": body{"level": "CanNotDelete"}})
			},
			mended: func(p *place) error {
				return p.sim.Do(p.Context(), "DELETE", group(p)+"/providers/Microsoft.Authorization/locks/keep", "2016-09-01", struct{}{})
			},
			check: "locks", level: doctor.Fault, text: "instances cannot be deleted", fix: "az lock delete --ids ",
		},
		"a read-only lock": {
			broken: func(p *place) error {
				return p.sim.Do(p.Context(), "PUT", group(p)+"/providers/Microsoft.Authorization/locks/keep", "2016-09-01", body{"properties": body{"level": "ReadOnly"}})
			},
			check: "locks", level: doctor.Fault, text: "nothing can be scaled", fix: "az lock delete",
		},
		"upgrades": {
			broken: patch(body{"properties": body{"upgradePolicy": body{"mode": "Automatic"}}}), mended: patch(body{"properties": body{"upgradePolicy": body{"mode": "Manual"}}}),
			check: "scale-set", level: doctor.Fault, text: "upgrade policy is not Manual", fix: "upgradePolicy.mode=Manual",
		},
		"overprovisioning": {
			broken: patch(body{"properties": body{"overprovision": true}}), mended: patch(body{"properties": body{"overprovision": false}}),
			check: "scale-set", level: doctor.Fault, text: "overprovisioning is on", fix: "overprovision=false",
		},
		"another key": {
			broken: func(p *place) error {
				path, _ := makeKey(p.T)
				lines := strings.Split(p.settings, "\n")
				for n, line := range lines {
					if strings.Contains(line, "key_path") {
						lines[n] = `      key_path = "` + path + `"`
					}
				}
				p.settings = strings.Join(lines, "\n")
				return nil
			},
			check: "key", level: doctor.Fault, text: "is not among the model's keys", fix: "name the private half",
		},
		"external addresses": {
			broken: func(p *place) error {
				p.settings = strings.Replace(p.settings, "key_path", "use_external_addr = true\n      key_path", 1)
				return nil
			},
			check: "addresses", level: doctor.Fault, text: "instances have no public address", fix: "leave use_external_addr out",
		},
		"more instances than a scale set takes": {
			config: armsim.Config{},
			broken: func(p *place) error {
				p.settings = strings.NewReplacer("max_instances = 10", "max_instances = 2000\n    capacity_per_instance = 1", "    capacity_per_instance = 1\n", "", "concurrent = 10", "concurrent = 2000", "  executor", "  request_concurrency = 9\n  executor").Replace(p.settings)
				return nil
			},
			check: "max-instances", level: doctor.Fault, text: "the scale set takes 1000", fix: "max_instances = 1000",
		},
		"quota": {
			config: armsim.Config{CoreQuota: 8},
			broken: func(*place) error { return nil },
			check:  "quota", level: doctor.Warning, text: "leaves room for 4 (0 of 8 vCPUs are used)", fix: "max_instances = 4",
		},
		"no way out": {
			broken: func(p *place) error {
				return p.admin.Write(p.Context(), "Subnets_CreateOrUpdate", subnet(p), body{"properties": body{"addressPrefix": "10.40.0.0/16", "defaultOutboundAccess": false}}, nil)
			},
			check: "network", level: doctor.Fault, text: "leads nowhere outside", fix: "az network vnet subnet update",
		},
		"an open door": {
			broken: func(p *place) error {
				return p.admin.Write(p.Context(), "NetworkSecurityGroups_CreateOrUpdate", group(p)+"/providers/Microsoft.Network/networkSecurityGroups/ci-nsg", body{
					"location": "westeurope", "properties": body{"securityRules": []any{body{"name": "ssh", "properties": body{
						"access": "Allow", "direction": "Inbound", "priority": 100, "protocol": "Tcp", "sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "22",
					}}}},
				}, nil)
			},
			check: "network", level: doctor.Warning, text: `the rule "ssh" lets the internet in at port 22`, fix: "az network nsg rule delete",
		},
		"no scale set": {
			broken: func(p *place) error {
				return p.admin.Write(p.Context(), "VirtualMachineScaleSets_Delete", p.setup.Spec.ScaleSetID(), nil, nil)
			},
			check: "scale-set", level: doctor.Fault, text: "ResourceNotFound", fix: "name",
		},
		"wrong secret": {
			broken: func(p *place) error {
				p.env["AZURE_CLIENT_SECRET"] = "wrong"
				return nil
			},
			check: "credential", level: doctor.Fault, text: "AADSTS7000215", fix: "secret",
		},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, c.config, nil, func(p *place) {
				require.NoError(p, c.broken(p))
				wrong := p.examine()
				require.Len(p, wrong, 1)
				assert.Equal(p, c.check, wrong[0].Check)
				assert.Equal(p, c.level, wrong[0].Level, wrong[0].Text)
				assert.Contains(p, wrong[0].Text, c.text)
				assert.Contains(p, wrong[0].Fix, c.fix)
				assert.NotContains(p, wrong[0].Text, "\n")
				if c.mended != nil {
					require.NoError(p, c.mended(p))
					assert.Empty(p, p.examine())
				}
			})
		})
	}
}

// TestDoctorNamesTheMissingAction: with exactly the role that setup writes nothing is
// wrong, and with any one action less the doctor names that.
func TestDoctorNamesTheMissingAction(t *testing.T) {
	for _, mode := range []string{"Uniform", "Flexible"} {
		actions := setup.Actions(mode)
		for n := -1; n < len(actions); n++ {
			held, missing := actions, ""
			if n >= 0 {
				missing, held = actions[n], slices.Delete(slices.Clone(actions), n, n+1)
			}
			t.Run(mode+" without "+missing, func(t *testing.T) {
				c := armsim.Config{Principals: []armsim.Principal{
					{ClientID: armsim.DefaultClientID, Secret: "admin"},
					{ClientID: "00000000-0000-4000-8000-0000000000dd", Secret: "weak", Actions: held},
				}}
				in(t, c, func(s *setup.Spec) { s.Mode = mode }, func(p *place) {
					p.settings = strings.ReplaceAll(p.settings, armsim.DefaultClientID, "00000000-0000-4000-8000-0000000000dd")
					p.env["AZURE_CLIENT_SECRET"] = "weak"
					var named []string
					for _, f := range p.examine() {
						if f.Check == "permissions" {
							named = append(named, strings.TrimPrefix(f.Text, "the identity lacks the permission "))
						} else if f.Level == doctor.Fault {
							assert.Equal(p, "Microsoft.Compute/virtualMachineScaleSets/read", missing, f.Text)
						}
					}
					if missing == "" {
						assert.Empty(p, named)
						return
					}
					assert.Contains(p, named, missing)
				})
			})
		}
	}
}
