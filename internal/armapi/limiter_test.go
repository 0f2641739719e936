package armapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func TestClassOf(t *testing.T) {
	const group = "https://x/subscriptions/s/resourceGroups/g/providers/"
	for at, want := range map[string]budget.Class{
		"GET Microsoft.Compute/virtualMachineScaleSets/ci":                    budget.ReadScaleSet,
		"PATCH Microsoft.Compute/VirtualMachineScaleSets/ci":                  budget.WriteScaleSet,
		"POST Microsoft.Compute/virtualMachineScaleSets/ci/delete":            budget.DeleteInstances,
		"GET Microsoft.Compute/virtualMachineScaleSets/ci/virtualMachines":    budget.ListInstances,
		"GET Microsoft.Compute/virtualMachines":                               budget.ListVirtualMachines,
		"GET Microsoft.Compute/virtualMachineScaleSets/ci/virtualMachines/3":  "GET virtualmachinescalesets/virtualmachines",
		"GET microsoft.Compute/virtualMachineScaleSets/ci/networkInterfaces":  "GET virtualmachinescalesets/networkinterfaces list",
		"GET Microsoft.Compute/locations/westeurope/operations/1-2-3":         "GET locations/operations",
		"DELETE Microsoft.Compute/virtualMachines/ci_1":                       "DELETE virtualmachines",
		"GET Microsoft.Compute/virtualMachineScaleSets/list/virtualMachines/": budget.ListInstances,
	} {
		var method, path string
		for n := range at {
			if at[n] == ' ' {
				method, path = at[:n], at[n+1:]
			}
		}
		r, err := http.NewRequest(method, group+path, nil)
		require.NoError(t, err)
		assert.Equal(t, want, classOf(r.Method, r.URL.Path), at)
	}
}

// Requests sent before Retry-After has passed prolong the block, so none are.
func TestNothingIsSentWhileThrottled(t *testing.T) {
	now := time.Now()
	s := &script{replies: []reply{{status: 429, header: http.Header{"Retry-After": {"1200"}}}}}
	c, err := New(cfg, Options{Transport: s, Credential: &fake.TokenCredential{}, Now: func() time.Time { return now }})
	require.NoError(t, err)
	list := func() error { _, err := c.Instances(vmss.Uniform).List(t.Context(), vmss.ListOptions{}); return err }
	err = list()
	require.Equal(t, 20*time.Minute, armerr.RetryAfter(err))
	asked := len(s.requests)
	err = list()
	require.True(t, armerr.Is(err, armerr.Throttled))
	require.ErrorContains(t, err, `list the instances of scale set "ci": request limit reached: retry in 20m0s; nothing was sent`)
	assert.Len(t, s.requests, asked)
	assert.Zero(t, c.Instances(vmss.Uniform).ListRoom().Lists())
	assert.Positive(t, c.Remaining(vmss.WriteScaleSet))
	now = now.Add(20*time.Minute + time.Second)
	_ = list()
	assert.Greater(t, len(s.requests), asked)
}

// Each kind of call has the limit of its class, and each mode that of its list.
func TestRemaining(t *testing.T) {
	c, _ := newClient(t, reply{status: 200})
	assert.Equal(t, 36, c.Remaining(vmss.ReadScaleSet))
	assert.Equal(t, 30, c.Instances(vmss.Uniform).ListRoom().Lists())
	assert.Equal(t, 210, c.Instances(vmss.Flexible).ListRoom().Lists(), "Resource Manager takes 250 at once, and some are left to others")
	assert.Equal(t, 36, c.Instances(vmss.Uniform).ReadsRemaining())
	assert.Equal(t, 210, c.Instances(vmss.Flexible).ReadsRemaining())
	_, err := c.SetCapacity(t.Context(), 1, "")
	require.NoError(t, err)
	assert.Equal(t, 11, c.Remaining(vmss.WriteScaleSet))
	assert.Equal(t, 199, c.Remaining(vmss.DeleteInstances))
	_, _, err = c.Instances(vmss.Flexible).Delete(t.Context(), []string{"x"})
	require.NoError(t, err)
	assert.Equal(t, 198, c.Remaining(vmss.DeleteInstances))
}

// A list of three pages costs three requests from then on.
func TestPagesOfAListCount(t *testing.T) {
	const more = `{"value":[],"nextLink":"https://management.azure.com/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/ci/virtualMachines?page=%d"}`
	c, _ := newClient(t, reply{status: 200, body: fmt.Sprintf(more, 2)}, reply{status: 200, body: fmt.Sprintf(more, 3)}, reply{status: 200, body: `{"value":[]}`})
	_, err := c.Instances(vmss.Uniform).List(t.Context(), vmss.ListOptions{})
	require.NoError(t, err)
	assert.Equal(t, 27/3, c.Instances(vmss.Uniform).ListRoom().Lists())
}

// TestClientsOfOneSubscription share its limits and one sign-in.
func TestClientsOfOneSubscription(t *testing.T) {
	other := cfg
	other.Name, other.SubscriptionID = "other", strings.ToUpper(cfg.SubscriptionID)
	elsewhere := cfg
	elsewhere.SubscriptionID = "11111111-2222-3333-4444-555555555555"
	s := &script{replies: []reply{{status: 429, header: http.Header{"Retry-After": {"1200"}}}}}
	first, err := New(cfg, Options{Transport: s, Credential: &fake.TokenCredential{}})
	require.NoError(t, err)
	second, err := New(other, Options{Transport: s, With: first})
	require.NoError(t, err)
	third, err := New(elsewhere, Options{Transport: s, With: second})
	require.NoError(t, err)
	_, _, err = first.Instances(vmss.Uniform).Delete(t.Context(), []string{"1"})
	require.Error(t, err)
	assert.Zero(t, second.Remaining(vmss.DeleteInstances))
	assert.Positive(t, second.Remaining(vmss.WriteScaleSet))
	assert.Positive(t, third.Remaining(vmss.DeleteInstances))
	assert.Same(t, first.cred, third.cred)
}
