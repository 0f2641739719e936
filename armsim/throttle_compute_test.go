package armsim_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// remaining is what a response says of limits, less the provider's name.
func (r reply) remaining() string {
	return strings.ReplaceAll(r.header.Get("x-ms-ratelimit-remaining-resource"), "Microsoft.Compute/", "")
}

// TestRecordedLimits: the buckets, in their order, and the charge, as azure-cli's
// tests recorded them in 2024. Time stands still, so nothing flows in.
// TestRefusedWritesAreFree: what comes to nothing draws nothing for virtual machines.
func TestRefusedWritesAreFree(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	body := s.get(t, set).body
	body["sku"].(object)["capacity"] = 5
	s.SetCoreQuota(4)
	one := set + "/virtualMachines/" + s.ids(t, set)[0]
	s.send(t, "POST", one+"/poweroff", nil)
	s.Advance(settled)
	for what, r := range map[string]reply{
		"creation":    s.send(t, "PUT", s.ScaleSetPath("other"), body),
		"capacity":    s.setCapacity(t, set, 9),
		"run command": s.send(t, "POST", one+"/runCommand", shellScript("true")),
	} {
		assert.Equal(t, []any{http.StatusConflict, "OperationNotAllowed"}, []any{r.status, r.code()}, what)
		assert.Empty(t, r.header.Get("x-ms-request-charge"), what)
		assert.NotContains(t, r.header.Get("x-ms-ratelimit-remaining-resource"), "Batched", what)
	}
}

func TestRecordedLimits(t *testing.T) {
	t.Parallel()
	const queued = ",VmssQueuedVMOperations;0"
	batched := func(left string) string { return ",VMScaleSetBatchedVMRequestsSubscriptionMaximum;" + left + queued }
	for _, c := range []struct {
		name, mode, method, path string // below the scale set
		body                     any
		remaining, charge        string
	}{
		{"get", "Uniform", "GET", "", nil, "GetVMScaleSetSubscriptionMaximum;2399,GetVMScaleSetResource;35", ""},
		{"list", "Uniform", "GET", "/virtualMachines", nil, "HighCostGetVMScaleSetSubscriptionMaximum;1079,HighCostGetVMScaleSetResource;29,VMScaleSetVMViewsSubscriptionMaximum;29996", "4"},
		{"list", "Flexible", "GET", "/virtualMachines", nil, "HighCostGetVMScaleSetSubscriptionMaximum;1079,HighCostGetVMScaleSetResource;29,VMScaleSetVMViewsSubscriptionMaximum;29996", "4"},
		{"summary", "Uniform", "GET", "/instanceView", nil, "HighCostGetVMScaleSetSubscriptionMaximum;1079,HighCostGetVMScaleSetResource;29", ""},
		{"instance", "Uniform", "GET", "/virtualMachines/0", nil, "GetVMScaleSetVMSubscriptionMaximum;5999,GetVMScaleSetVMResource;35,VMScaleSetVMViewsSubscriptionMaximum;29999", "1"},
		{"instance view", "Uniform", "GET", "/virtualMachines/0/instanceView", nil, "GetVMScaleSetVMSubscriptionMaximum;5999,GetVMScaleSetVMResource;35,VMScaleSetVMViewsSubscriptionMaximum;29999", "1"},
		{"put", "Uniform", "PUT", "", object{"location": "westeurope"}, "CreateVMScaleSetSubscriptionMaximum;374,CreateVMScaleSetResource;11" + batched("6000"), "0"},
		{"lower", "Uniform", "PUT", "", object{"location": "westeurope", "sku": object{"capacity": 3}}, "CreateVMScaleSetSubscriptionMaximum;374,CreateVMScaleSetResource;11" + batched("5999"), "1"},
		{"put", "Flexible", "PUT", "", object{"location": "westeurope"}, "CreateVMScaleSetSubscriptionMaximum;374,CreateVMScaleSetResource;11", ""},
		{"raise", "Uniform", "PATCH", "", object{"sku": object{"capacity": 9}}, "UpdateVMScaleSetSubscriptionMaximum;1499,UpdateVMScaleSetResource;11" + batched("5995"), "5"},
		{"delete two", "Uniform", "POST", "/delete", object{"instanceIds": []any{"0", "1"}}, "VMScaleSetActionsSubscriptionMaximum;1499" + batched("5998"), "2"},
		{"delete all", "Flexible", "POST", "/delete", object{"instanceIds": []any{"*"}}, "VMScaleSetActionsSubscriptionMaximum;1499", ""},
		{"restart", "Uniform", "POST", "/restart", object{"instanceIds": []any{"*"}}, "VMScaleSetActionsSubscriptionMaximum;1499" + batched("5996"), "4"},
		{"start", "Uniform", "POST", "/start", object{"instanceIds": []any{"0"}}, "VMScaleSetActionsSubscriptionMaximum;1499" + batched("5999"), "1"},
		{"power off", "Uniform", "POST", "/poweroff", object{"instanceIds": []any{"0", "2"}}, "DeleteVMScaleSetSubscriptionMaximum;524" + batched("5998"), "2"},
		{"deallocate", "Flexible", "POST", "/deallocate", object{}, "DeleteVMScaleSetSubscriptionMaximum;524", ""},
		{"deallocate one", "Uniform", "POST", "/virtualMachines/0/deallocate", nil, "DeleteVMScaleSetVMSubscriptionMaximum;1999,DeleteVMScaleSetVMResource;11" + batched("5999"), "1"},
		{"put one", "Uniform", "PUT", "/virtualMachines/0", object{}, "VMScaleSetVMActionsSubscriptionMaximum;1999,VMScaleSetVMActionsResource;11" + batched("6000"), "0"},
	} {
		t.Run(c.mode+" "+c.name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{Throttle: true, Polite: true, PageSize: 50})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: c.mode, Capacity: 4})
			s.Advance(time.Hour)
			r := s.send(t, c.method, set+c.path, c.body)
			require.Less(t, r.status, 300, r.raw)
			assert.Equal(t, c.remaining, r.remaining())
			assert.Equal(t, c.charge, r.header.Get("x-ms-request-charge"))
		})
	}
}

func TestRecordedLimitsOfMachines(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true})
	s.scaleSet(t, flexible(1))
	s.Advance(time.Hour)
	assert.Equal(t, "HighCostGetSubscriptionMaximum;899", s.get(t, s.machinesPath()).remaining())
	machine := s.machinesPath() + "/" + s.Instances()[0].Name
	assert.Equal(t, "LowCostGetSubscriptionMaximum;23999,LowCostGetResource;35", s.get(t, machine).remaining())
	for _, action := range []string{"powerOff", "start", "restart"} { // in Microsoft's table
		assert.Contains(t, s.send(t, "POST", machine+"/"+action, nil).remaining(), "UpdateVMSubscriptionMaximum;")
	}
	assert.Contains(t, s.send(t, "POST", machine+"/deallocate", nil).remaining(), "DeleteVMSubscriptionMaximum;1499,DeleteVMResource;11")
	assert.Equal(t, "PutVMSubscriptionMaximum;1499,PutVMResource;11", s.send(t, "PUT", machine, object{"location": "westeurope"}).remaining())
	s.Advance(time.Hour)
	deleted := s.send(t, "DELETE", machine, nil)
	assert.Equal(t, "DeleteVMSubscriptionMaximum;1499,DeleteVMResource;11", deleted.remaining())
	assert.Equal(t, "GetOperationResource;44,GetOperationSubscriptionMaximum;14999", s.operation(t, deleted).remaining())
}

// TestViewsAreCountedByThePage: 1,000 instances in pages of 50 are 20 calls, and
// 1,000 views.
func TestViewsAreCountedByThePage(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true, PageSize: 50})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1000})
	s.Advance(time.Hour)
	require.Len(t, s.list(t, set+"/virtualMachines"), 1000)
	left := s.get(t, set+"/virtualMachines").remaining()
	assert.Contains(t, left, "HighCostGetVMScaleSetResource;9,VMScaleSetVMViewsSubscriptionMaximum;28950")
}

// TestBatchesAreChargedByInstance: a batch that takes more than is left is
// refused, and does nothing.
func TestBatchesAreChargedByInstance(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true, PageSize: 1000})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1000})
	s.Advance(time.Hour)
	require.NoError(t, s.ShareLimits(0.8)) // 1,200 are left
	require.Equal(t, http.StatusAccepted, s.send(t, "POST", set+"/start", object{"instanceIds": []any{"*"}}).status)
	r := s.send(t, "POST", set+"/delete", object{"instanceIds": []any{"*"}})
	require.Equal(t, http.StatusTooManyRequests, r.status)
	assert.Equal(t, "VMScaleSetBatchedVMRequestsSubscriptionMaximum", r.text("error.details.0.target"))
	assert.Equal(t, "120", r.header.Get("Retry-After"), "800 at 400 a minute")
	assert.Equal(t, 1000, s.capacity(t, set))
	s.Advance(2 * time.Minute)
	assert.Equal(t, http.StatusAccepted, s.send(t, "POST", set+"/delete", object{"instanceIds": []any{"*"}}).status)
}

// TestInstanceReads: each instance has its 36 at once, or all of a Uniform set
// have them together.
func TestInstanceReads(t *testing.T) {
	t.Parallel()
	for shared, want := range map[bool]int{false: http.StatusOK, true: http.StatusTooManyRequests} {
		s := virtual(t, armsim.Config{Throttle: true, Polite: true, Unknowns: armsim.Unknowns{InstanceReadsShareBucket: shared}})
		set, other := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2}), s.scaleSet(t, armsim.ScaleSetSpec{Name: "other", Capacity: 1})
		s.Advance(time.Hour)
		for n := range 36 {
			r := s.get(t, set+"/virtualMachines/0")
			require.Contains(t, r.remaining(), "GetVMScaleSetVMResource;"+strconv.Itoa(35-n))
		}
		assert.Equal(t, http.StatusTooManyRequests, s.get(t, set+"/virtualMachines/0/instanceView").status)
		assert.Equal(t, want, s.get(t, set+"/virtualMachines/1").status)
		assert.Equal(t, http.StatusOK, s.get(t, other+"/virtualMachines/0").status)
	}
}
