package armapi

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// watched is a pace under a clock that the test moves.
func watched() (*pace, *time.Time) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return newPace(func() time.Time { return now }), &now
}

func TestClassOf(t *testing.T) {
	const group = "https://x/subscriptions/s/resourceGroups/g/providers/"
	for at, want := range map[string]string{
		"GET Microsoft.Compute/virtualMachineScaleSets/ci":                    setClass,
		"PATCH Microsoft.Compute/VirtualMachineScaleSets/ci":                  writeClass,
		"POST Microsoft.Compute/virtualMachineScaleSets/ci/delete":            deleteClass,
		"GET Microsoft.Compute/virtualMachineScaleSets/ci/virtualMachines":    listClass,
		"GET Microsoft.Compute/virtualMachines":                               machineListClass,
		"GET Microsoft.Compute/virtualMachineScaleSets/ci/virtualMachines/3":  "GET virtualmachinescalesets/virtualmachines",
		"GET microsoft.Compute/virtualMachineScaleSets/ci/networkInterfaces":  "GET virtualmachinescalesets/networkinterfaces list",
		"GET Microsoft.Compute/locations/westeurope/operations/1-2-3":         "GET locations/operations",
		"DELETE Microsoft.Compute/virtualMachines/ci_1":                       "DELETE virtualmachines",
		"GET Microsoft.Compute/virtualMachineScaleSets/list/virtualMachines/": listClass,
	} {
		var method, path string
		for n := range at {
			if at[n] == ' ' {
				method, path = at[:n], at[n+1:]
			}
		}
		r, err := http.NewRequest(method, group+path, nil)
		require.NoError(t, err)
		assert.Equal(t, want, classOf(r), at)
	}
}

// Azure answers 12 writes at once, and then 4 a minute.
func TestRoomIsAzuresLimit(t *testing.T) {
	p, now := watched()
	require.Equal(t, 12, p.room(writeClass))
	for range 12 {
		require.Zero(t, p.draw(writeClass))
	}
	assert.Zero(t, p.room(writeClass))
	assert.Equal(t, 12, p.room(deleteClass), "each kind has its own")
	*now = now.Add(15 * time.Second)
	assert.Zero(t, p.room(writeClass), "Azure's clock is another")
	*now = now.Add(time.Second)
	assert.Equal(t, 1, p.room(writeClass))
	*now = now.Add(time.Hour)
	assert.Equal(t, 12, p.room(writeClass))
}

// A list of ten pages costs ten calls.
func TestRoomCountsPages(t *testing.T) {
	p, now := watched()
	list := func(pages int) {
		require.NoError(t, p.measure(listClass, func() error {
			for range pages {
				p.draw(listClass)
			}
			return nil
		}))
	}
	list(10)
	assert.Equal(t, 2, p.room(listClass))
	*now = now.Add(time.Hour)
	list(40) // more than Azure ever answers at once
	assert.Zero(t, p.room(listClass))
	*now = now.Add(time.Hour)
	assert.Equal(t, 1, p.room(listClass), "else there would never be another list")
}

func TestRemainingCallsCorrectTheCount(t *testing.T) {
	p, _ := watched()
	answer := func(header string) {
		p.learn(listClass, &http.Response{StatusCode: http.StatusOK, Header: http.Header{"X-Ms-Ratelimit-Remaining-Resource": {header}}})
	}
	answer("Microsoft.Compute/HighCostGetVMScaleSetResource;29,Microsoft.Compute/VMScaleSetVMViewsSubscriptionMaximum;2")
	assert.Equal(t, 29, p.room(listClass), "views are no calls")
	answer("Microsoft.Compute/HighCostGetVMScaleSetResource;20,Microsoft.Compute/HighCostGetVMScaleSetSubscriptionMaximum;3")
	assert.Equal(t, 3, p.room(listClass), "a neighbour uses the subscription's")
	answer("nonsense;;x,")
	assert.Equal(t, 3, p.room(listClass))
}

// What is sent while Azure has asked to wait prolongs the block: nothing is.
func TestNothingIsSentWhileAzureAskedToWait(t *testing.T) {
	c, s := newClient(t, reply{status: 429, header: http.Header{"Retry-After": {"1200"}}})
	now := time.Now()
	c.pace.now = func() time.Time { return now }
	_, err := c.Instances(t.Context())
	require.Equal(t, 20*time.Minute, armerr.RetryAfter(err))
	asked := len(s.asked)
	_, err = c.Instances(t.Context())
	require.True(t, armerr.Is(err, armerr.Throttled))
	require.ErrorContains(t, err, `list the instances of scale set "ci": Azure asked to wait, for another 20m0s; nothing was sent`)
	assert.Len(t, s.asked, asked)
	assert.Zero(t, c.Room(instancegroup.ListInstances))
	assert.Positive(t, c.Room(instancegroup.WriteScaleSet))
	now = now.Add(20*time.Minute + time.Second)
	_, _ = c.Instances(t.Context())
	assert.Greater(t, len(s.asked), asked)
}

func TestProgress(t *testing.T) {
	for body, want := range map[string]struct {
		ended   bool
		failure string
		err     string
	}{
		`{"status":"InProgress"}`: {},
		`{"status":"Succeeded"}`:  {ended: true},
		`{"status":"Failed","error":{"code":"AllocationFailed","message":"No room."}}`: {ended: true, failure: `change scale set "ci": AllocationFailed: No room`},
		`{"status":"Canceled","error":{"code":"OperationPreempted"}}`:                  {ended: true, failure: "OperationPreempted"},
		`{}`:       {err: "the answer holds no status"},
		`<html>`:   {err: "the answer is not Azure's"},
		`{"status`: {err: "follow an operation"},
	} {
		c, _ := newClient(t, reply{status: 200, body: body})
		p, err := c.Progress(t.Context(), "https://management.azure.com/subscriptions/s/providers/Microsoft.Compute/locations/l/operations/o")
		if want.err != "" {
			require.ErrorContains(t, err, want.err, body)
			continue
		}
		require.NoError(t, err, body)
		assert.Equal(t, want.ended, p.Ended, body)
		if want.failure != "" {
			require.ErrorContains(t, p.Failure, want.failure)
			continue
		}
		assert.NoError(t, p.Failure, body)
	}
}

// TestListThatHasGrown stops where Azure would refuse its next page, and is known
// to cost more from then on.
func TestListThatHasGrown(t *testing.T) {
	p, now := watched()
	list := func(pages int) error {
		return p.measure(listClass, func() error {
			for range pages {
				if wait := p.draw(listClass); wait > 0 {
					return &held{wait}
				}
			}
			return nil
		})
	}
	for range 8 {
		require.NoError(t, list(3))
	}
	require.Equal(t, 2, p.room(listClass))
	require.Error(t, list(9), "6 calls are left")
	assert.Zero(t, p.room(listClass))
	*now = now.Add(time.Minute)
	assert.Zero(t, p.room(listClass), "it needs more than it did")
	*now = now.Add(time.Minute)
	require.Equal(t, 1, p.room(listClass))
	require.NoError(t, list(9))
	*now = now.Add(time.Minute)
	assert.Equal(t, 2, p.room(listClass))
	for range 3 {
		_ = list(40)
		*now = now.Add(5 * time.Minute)
	}
	require.Equal(t, 1, p.room(listClass))
	require.NoError(t, list(40), "what never fits goes out all the same, from a full bucket")
}
