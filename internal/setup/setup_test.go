package setup_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/setup"
)

const testKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBv5d2gzVZ3n3PVwKq3GZ9D3n8iBq1a6yq3m4q4yq1Xx"

// site is an empty subscription.
type site struct {
	*testing.T
	sim   *armsim.Server
	azure *armapi.Resources
	spec  setup.Spec
}

// inSubscription runs a test in virtual time, in an empty subscription.
func inSubscription(t *testing.T, change func(*armsim.Config), run func(*site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := armsim.Config{
			InProcess: true, Subscription: armsim.Subscription{Empty: true, CheckReferences: true, PrincipalDelay: time.Minute},
		}
		if change != nil {
			change(&c)
		}
		sim := armsim.Start(t, c)
		env := map[string]string{}
		for _, line := range sim.Env() {
			key, value, _ := strings.Cut(line, "=")
			env[key] = value
		}
		cfg := config.Config{
			SubscriptionID: env["AZURE_SUBSCRIPTION_ID"], Credential: "client_secret", TenantID: env["AZURE_TENANT_ID"], ClientID: env["AZURE_CLIENT_ID"],
			Cloud: config.Cloud{AuthorityHost: sim.Endpoint + "/", ResourceManagerEndpoint: sim.Endpoint, ResourceManagerAudience: sim.Audience},
		}
		azure, err := armapi.NewResources(cfg, armapi.Options{Transport: &http.Client{Transport: sim.Transport()}, Getenv: func(key string) string { return env[key] }})
		require.NoError(t, err)
		run(&site{t, sim, azure, setup.Spec{
			Subscription: cfg.SubscriptionID, Group: "runners", Location: "westeurope", Name: "ci", PublicKey: testKey, Identity: "ci-runner",
		}})
	})
}

func (s *site) setup(change func(*setup.Spec)) *setup.Setup {
	s.Helper()
	spec := s.spec
	if change != nil {
		change(&spec)
	}
	whole, err := spec.Complete()
	require.NoError(s, err)
	return &setup.Setup{Spec: whole, Azure: s.azure}
}

func (s *site) apply(up *setup.Setup) *setup.Plan {
	s.Helper()
	plan, err := up.Plan(s.Context())
	require.NoError(s, err)
	require.NoError(s, up.Apply(s.Context(), plan))
	return plan
}

func actions(p *setup.Plan) (all []string) {
	for _, i := range p.Items {
		all = append(all, string(i.Action)+" "+i.Title)
	}
	return all
}

// TestSetupFromNothing makes all, then nothing, and teardown leaves nothing.
func TestSetupFromNothing(t *testing.T) {
	for name, change := range map[string]func(*setup.Spec){
		"Uniform":  nil,
		"Flexible": func(s *setup.Spec) { s.Mode = "Flexible" },
		"Spot":     func(s *setup.Spec) { s.Spot = true },
		"zones":    func(s *setup.Spec) { s.Zones = []string{"1", "2"} },
		"mix": func(s *setup.Spec) {
			s.Sizes, s.Spot, s.Regular = []string{"Standard_D2s_v5", "Standard_D2as_v5"}, true, 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			inSubscription(t, func(c *armsim.Config) { c.Subscription.NotRegistered = []string{"Microsoft.ManagedIdentity"} }, func(s *site) {
				up := s.setup(change)
				first := s.apply(up)
				for _, i := range first.Items {
					assert.Equal(s, setup.Create, i.Action, i.Title)
				}
				again, err := up.Plan(s.Context())
				require.NoError(s, err)
				assert.False(s, again.Changes(), again)
				for _, i := range again.Items {
					assert.Empty(s, i.Differences, i.Title)
				}

				up = &setup.Setup{Azure: s.azure, Spec: setup.Spec{Subscription: up.Spec.Subscription, Group: up.Spec.Group, Name: up.Spec.Name}} // all that teardown is told
				down, err := up.PlanTeardown(s.Context())
				require.NoError(s, err)
				require.NoError(s, up.Teardown(s.Context(), down))
				left, err := up.PlanTeardown(s.Context())
				require.NoError(s, err)
				assert.Empty(s, left.Items)
				there, err := s.azure.Exists(s.Context(), "ResourceGroups_Get", up.Spec.GroupID())
				require.NoError(s, err)
				assert.False(s, there)
				assert.Empty(s, s.sim.Stats().NotSimulated)
			})
		})
	}
}

// TestSetupGoesOn where it was broken off, whichever resource that was.
func TestSetupGoesOn(t *testing.T) {
	inSubscription(t, nil, func(s *site) {
		up := s.setup(nil)
		for broken := 0; ; broken++ {
			plan, err := up.Plan(s.Context())
			require.NoError(s, err)
			if !plan.Changes() {
				assert.Greater(s, broken, 5)
				return
			}
			ctx, cancel := context.WithCancel(s.Context())
			begun := 0
			up.Progress = func(string) {
				if begun++; begun == 2 {
					cancel()
				}
			}
			_ = up.Apply(ctx, plan)
			cancel()
		}
	})
}

// TestSetupChangesWhatDiffers and leaves alone what others added.
func TestSetupChangesWhatDiffers(t *testing.T) {
	inSubscription(t, nil, func(s *site) {
		s.apply(s.setup(nil))
		up := s.setup(func(spec *setup.Spec) { spec.Sizes = []string{"Standard_D4s_v5"} })
		plan, err := up.Plan(s.Context())
		require.NoError(s, err)
		var changed []string
		for _, i := range plan.Items {
			if i.Action != setup.Keep {
				require.Len(s, i.Differences, 1)
				changed = append(changed, string(i.Action)+" "+i.Title+" "+i.Differences[0].Path)
			}
		}
		assert.Equal(s, []string{`change scale set "ci" sku.name`}, changed)
		require.NoError(s, up.Apply(s.Context(), plan))
		again, err := up.Plan(s.Context())
		require.NoError(s, err)
		assert.False(s, again.Changes(), actions(again))

		fixed := s.setup(func(spec *setup.Spec) { spec.Spot = true })
		plan, err = fixed.Plan(s.Context())
		require.NoError(s, err)
		require.ErrorContains(s, plan.Err(), "Azure does not let anybody change properties.virtualMachineProfile.priority")
	})
}

// TestSetupRefusesWhatIsNotItsOwn.
func TestSetupRefusesWhatIsNotItsOwn(t *testing.T) {
	inSubscription(t, nil, func(s *site) {
		up := s.setup(nil)
		require.NoError(s, s.azure.Write(s.Context(), "ResourceGroups_CreateOrUpdate", up.Spec.GroupID(), map[string]any{"location": "westeurope"}, nil))
		require.NoError(s, s.azure.Write(s.Context(), "PublicIPAddresses_CreateOrUpdate", up.Spec.GroupID()+"/providers/Microsoft.Network/publicIPAddresses/ci-ip",
			map[string]any{"location": "westeurope", "sku": map[string]any{"name": "Standard"}, "properties": map[string]any{"publicIPAllocationMethod": "Static", "idleTimeoutInMinutes": 9}}, nil))
		plan, err := up.Plan(s.Context())
		require.NoError(s, err)
		require.ErrorContains(s, plan.Err(), `public IP address "ci-ip" is there, and setup did not make it`)
		require.Error(s, up.Apply(s.Context(), plan))

		down, err := up.PlanTeardown(s.Context())
		require.NoError(s, err)
		assert.Empty(s, down.Items, "the group was there before")
	})
}

// TestTeardownLeavesTheIdentitiesOfOthers, and the group with them.
func TestTeardownLeavesTheIdentitiesOfOthers(t *testing.T) {
	inSubscription(t, nil, func(s *site) {
		up := s.setup(nil)
		s.apply(up)
		id := func(name string) string {
			return up.Spec.GroupID() + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" + name
		}
		for name, tags := range map[string]map[string]any{"theirs": nil, "another-set": {"fleeting-plugin-azure-setup": "other"}} {
			require.NoError(s, s.azure.Write(s.Context(), "UserAssignedIdentities_CreateOrUpdate", id(name), map[string]any{"location": "westeurope", "tags": tags}, nil))
		}
		down, err := up.PlanTeardown(s.Context())
		require.NoError(s, err)
		require.NoError(s, up.Teardown(s.Context(), down))
		for name, stays := range map[string]bool{"ci-runner": false, "theirs": true, "another-set": true} {
			there, err := s.azure.Exists(s.Context(), "UserAssignedIdentities_Get", id(name))
			require.NoError(s, err)
			assert.Equal(s, stays, there, name)
		}
	})
}

// TestSetupChecksFirst: nothing is made of what Azure would refuse.
func TestSetupChecksFirst(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*setup.Spec)
		want   string
	}{
		"size":          {func(s *setup.Spec) { s.Sizes = []string{"Standard_D2s_v55"} }, "did you mean Standard_D2s_v5"},
		"region":        {func(s *setup.Spec) { s.Location = "westeuropa" }, "there are no sizes in the region"},
		"zone":          {func(s *setup.Spec) { s.Zones = []string{"9"} }, "is not offered in zone 9"},
		"ephemeral":     {func(s *setup.Spec) { s.Ephemeral = true }, "takes no ephemeral OS disk"},
		"publisher":     {func(s *setup.Spec) { s.Image = "Canonica:ubuntu-24_04-lts:server:latest" }, `there is no publisher "Canonica" in this region; fix: did you mean Canonical`},
		"offer":         {func(s *setup.Spec) { s.Image = "Canonical:ubuntu-2404-lts:server:latest" }, `there is no offer "ubuntu-2404-lts"`},
		"SKU":           {func(s *setup.Spec) { s.Image = "Canonical:ubuntu-24_04-lts:servr:latest" }, `there is no SKU "servr" in this region; fix: did you mean server`},
		"version":       {func(s *setup.Spec) { s.Image = "Canonical:ubuntu-24_04-lts:server:1.0.0" }, `there is no version "1.0.0"`},
		"managed image": {func(s *setup.Spec) { s.Image = s.GroupID() + "/providers/Microsoft.Compute/images/golden" }, "images/golden does not exist"},
		"gallery": {func(s *setup.Spec) {
			s.Image = s.GroupID() + "/providers/Microsoft.Compute/galleries/own/images/runner"
		}, "images/runner does not exist"},
		"community image": {func(s *setup.Spec) { s.Image = "/CommunityGalleries/public/Images/runner" }, "is in no community gallery of westeurope"},
		"architecture":    {func(s *setup.Spec) { s.Sizes = []string{"Standard_D2ps_v5"} }, "is for x64, and Standard_D2ps_v5 has Arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			inSubscription(t, nil, func(s *site) {
				_, err := s.setup(c.change).Plan(s.Context())
				require.ErrorContains(s, err, c.want)
				assert.NotContains(s, err.Error(), "\n")
				for _, e := range s.sim.Journal() {
					assert.NotContains(s, []string{"PUT", "PATCH", "DELETE"}, e.Method)
				}
			})
		})
	}
}

func TestOutdatedImageIsNoted(t *testing.T) {
	inSubscription(t, nil, func(s *site) {
		plan, err := s.setup(func(s *setup.Spec) {
			s.Image, s.Sizes = "Canonical:UbuntuServer:18.04-LTS:latest", []string{"Standard_D2s_v3"}
		}).Plan(s.Context())
		require.NoError(s, err)
		require.Len(s, plan.Notes, 1)
		assert.Contains(s, plan.Notes[0], "kept up to date")
	})
}

// TestKeysOfOthersAreKept: the plugin adds its own key to those of setup.
func TestKeysOfOthersAreKept(t *testing.T) {
	inSubscription(t, nil, func(s *site) {
		up := s.setup(nil)
		s.apply(up)
		const others = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA fleeting-plugin-azure host"
		write := func(keys ...string) {
			list := []any{}
			for _, key := range keys {
				list = append(list, map[string]any{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": key})
			}
			require.NoError(s, s.azure.Write(s.Context(), "VirtualMachineScaleSets_Update", up.Spec.ScaleSetID(), map[string]any{"properties": map[string]any{
				"virtualMachineProfile": map[string]any{"osProfile": map[string]any{"linuxConfiguration": map[string]any{"ssh": map[string]any{"publicKeys": list}}}},
			}}, nil))
		}
		write(testKey, others)
		plan, err := up.Plan(s.Context())
		require.NoError(s, err)
		assert.False(s, plan.Changes(), plan)

		write(others)
		plan = s.apply(up)
		assert.True(s, plan.Changes())
		var set struct {
			Properties struct {
				Profile struct {
					OS struct {
						Linux struct {
							SSH struct {
								Keys []struct {
									Data string `json:"keyData"`
								} `json:"publicKeys"`
							} `json:"ssh"`
						} `json:"linuxConfiguration"`
					} `json:"osProfile"`
				} `json:"virtualMachineProfile"`
			} `json:"properties"`
		}
		require.NoError(s, s.azure.Get(s.Context(), "VirtualMachineScaleSets_Get", up.Spec.ScaleSetID(), nil, &set))
		require.Len(s, set.Properties.Profile.OS.Linux.SSH.Keys, 2)
		assert.Equal(s, others, set.Properties.Profile.OS.Linux.SSH.Keys[0].Data)
	})
}
