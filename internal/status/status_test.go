package status_test

import (
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
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/status"
)

const machines = "/subscriptions/" + armsim.DefaultSubscriptionID + "/resourceGroups/" + armsim.DefaultResourceGroup + "/providers/Microsoft.Compute/"

// markOf is how an instance is marked, by the mode of its scale set.
var markOf = map[string]struct {
	method string
	path   func(armsim.InstanceInfo) string
	body   map[string]any
}{
	"Uniform": {http.MethodPut, func(i armsim.InstanceInfo) string {
		return machines + "virtualMachineScaleSets/ci/virtualMachines/" + i.InstanceID
	}, map[string]any{"properties": map[string]any{"protectionPolicy": map[string]any{"protectFromScaleIn": true}}}},
	"Flexible": {http.MethodPatch, func(i armsim.InstanceInfo) string { return machines + "virtualMachines/" + i.Name }, map[string]any{"tags": map[string]any{"fleeting-plugin-azure-suspended": "suspended"}}},
}

// TestRead shows what runs, in both orchestration modes, and nothing of another scale set.
func TestRead(t *testing.T) {
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := armsim.Start(t, armsim.Config{InProcess: true, CoreQuota: 100})
				for name, capacity := range map[string]int{"ci": 4, "other": 2} {
					_, err := sim.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: name, Capacity: capacity, OrchestrationMode: mode, Priority: "Spot", EvictionPolicy: "Deallocate", Zones: []string{"1"}})
					require.NoError(t, err)
				}
				time.Sleep(10 * time.Minute)
				require.NoError(t, sim.Tag("ci", "fleeting-plugin-azure", "vm process 1"))
				for _, i := range sim.Instances() {
					if i.ScaleSet == "ci" {
						require.NoError(t, sim.Deallocate(i.Name))
						require.NoError(t, sim.Do(t.Context(), markOf[mode].method, markOf[mode].path(i), "2025-04-01", markOf[mode].body))
						break
					}
				}
				time.Sleep(10 * time.Minute)
				s, err := status.Read(t.Context(), client(t, sim), config.Config{
					Name: "ci", SubscriptionID: armsim.DefaultSubscriptionID, ResourceGroupName: armsim.DefaultResourceGroup,
				})
				require.NoError(t, err)
				assert.Equal(t, mode, s.Mode)
				assert.Equal(t, "vm process 1", s.Manager)
				assert.Equal(t, 4, s.Capacity)
				assert.Equal(t, []int{1, 0}, []int{s.Kept("suspended"), s.Kept("warm")})
				require.Len(t, s.Instances, 4)
				assert.Len(t, s.Running(), 3)
				require.NotNil(t, s.Quota)
				assert.Equal(t, "lowPriorityCores", s.Quota.Name)
				powers := map[string]int{}
				for _, i := range s.Instances {
					powers[i.Power]++
					assert.Equal(t, "Succeeded", i.State)
					assert.Equal(t, "1", i.Zone)
					assert.True(t, i.Spot)
					assert.NotEmpty(t, i.Size)
					assert.NotEmpty(t, i.Address)
					assert.False(t, i.Created.IsZero())
				}
				assert.Equal(t, map[string]int{"running": 3, "deallocated": 1}, powers)
			})
		})
	}
}

func client(t *testing.T, sim *armsim.Server) *armapi.Resources {
	t.Helper()
	env := map[string]string{}
	for _, line := range sim.Env() {
		key, value, _ := strings.Cut(line, "=")
		env[key] = value
	}
	r, err := armapi.NewResources(config.Config{
		Credential: "client_secret", TenantID: env["AZURE_TENANT_ID"], ClientID: env["AZURE_CLIENT_ID"],
		Cloud: config.Cloud{AuthorityHost: sim.Endpoint + "/", ResourceManagerEndpoint: sim.Endpoint, ResourceManagerAudience: sim.Audience},
	}, armapi.Options{Transport: &http.Client{Transport: sim.Transport()}, Getenv: func(key string) string { return env[key] }})
	require.NoError(t, err)
	return r
}
