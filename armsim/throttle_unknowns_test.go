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

// TestOpenQuestionsOfLimits: the buckets of a call where Azure may count in more than one
// way.
func TestOpenQuestionsOfLimits(t *testing.T) {
	t.Parallel()
	const batched = ",VMScaleSetBatchedVMRequestsSubscriptionMaximum;%,VmssQueuedVMOperations;0"
	none := object{"instanceIds": []any{"0"}}
	for _, c := range []struct {
		unknown, method, path string
		body                  any
		believed, inverted    string // of the limits on calls
	}{
		{"patch-draws-from-actions", "PATCH", "", object{}, "UpdateVMScaleSetSubscriptionMaximum;1499,UpdateVMScaleSetResource;11", "VMScaleSetActionsSubscriptionMaximum;1499,VMScaleSetActionsResource;11"},
		{"set-deallocation-limited", "POST", "/deallocate", none, "DeleteVMScaleSetSubscriptionMaximum;524", "DeleteVMScaleSetSubscriptionMaximum;524,DeleteVMScaleSetResource;11"},
		{"set-deallocation-limited", "POST", "/poweroff", none, "DeleteVMScaleSetSubscriptionMaximum;524", "DeleteVMScaleSetSubscriptionMaximum;524"},
		{"delete-shares-update-bucket", "POST", "/delete", none, "VMScaleSetActionsSubscriptionMaximum;1499", "VMScaleSetActionsSubscriptionMaximum;1499,UpdateVMScaleSetSubscriptionMaximum;1499,UpdateVMScaleSetResource;11"},
		{
			"instance-actions-draw-from-set", "POST", "/virtualMachines/0/start", nil,
			"VMScaleSetVMActionsSubscriptionMaximum;1999,VMScaleSetVMActionsResource;11",
			"VMScaleSetActionsSubscriptionMaximum;1499,VMScaleSetVMActionsSubscriptionMaximum;1999,VMScaleSetVMActionsResource;11",
		},
		{
			"instance-actions-draw-from-set", "PUT", "/virtualMachines/0", object{},
			"VMScaleSetVMActionsSubscriptionMaximum;1999,VMScaleSetVMActionsResource;11",
			"VMScaleSetVMActionsSubscriptionMaximum;1999,VMScaleSetVMActionsResource;11",
		},
	} {
		for inverted, want := range map[bool]string{false: c.believed, true: c.inverted} {
			config := armsim.Config{Throttle: true, Polite: true}
			if inverted {
				config.Unknowns = unknown(t, c.unknown)
			}
			s := virtual(t, config)
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
			s.Advance(time.Hour)
			r := s.send(t, c.method, set+c.path, c.body)
			require.Less(t, r.status, 300, r.raw)
			touched, err := strconv.Atoi(r.header.Get("x-ms-request-charge"))
			require.NoError(t, err)
			assert.Equal(t, want+strings.Replace(batched, "%", strconv.Itoa(6000-touched), 1), r.remaining(), c.path)
		}
	}
}

// TestPatchesAndDeletionsShareOneBucket, where both draw from that of actions.
func TestPatchesAndDeletionsShareOneBucket(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true, Polite: true, Unknowns: unknown(t, "patch-draws-from-actions", "delete-shares-update-bucket")})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	s.Advance(time.Hour)
	r := s.deleteInstances(t, set, "0")
	assert.Contains(t, r.remaining(), "VMScaleSetActionsSubscriptionMaximum;1499,VMScaleSetActionsResource;11,")
	assert.Contains(t, s.send(t, "PATCH", set, `{}`).remaining(), "VMScaleSetActionsSubscriptionMaximum;1498,VMScaleSetActionsResource;10")
}

// TestRefillByMinute: Microsoft's page has 4 tokens more each minute; an even flow has
// one each 15 s.
func TestRefillByMinute(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true, Unknowns: armsim.Unknowns{RefillByMinute: true}})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	s.Advance(time.Hour)
	for range updateBurst {
		require.Equal(t, http.StatusOK, s.send(t, "PATCH", set, `{}`).status)
	}
	s.Advance(20 * time.Second)
	r := s.send(t, "PATCH", set, `{}`)
	require.Equal(t, http.StatusTooManyRequests, r.status)
	assert.Equal(t, "40", r.header.Get("Retry-After"))
	s.Advance(40 * time.Second)
	for left := 3; left >= 0; left-- {
		assert.Contains(t, s.send(t, "PATCH", set, `{}`).remaining(), "UpdateVMScaleSetResource;"+strconv.Itoa(left))
	}
	r = s.send(t, "PATCH", set, `{}`)
	assert.Equal(t, []any{http.StatusTooManyRequests, "60"}, []any{r.status, r.header.Get("Retry-After")})
	for n := range 250 {
		s.ask(t, http.MethodGet, n)
	}
	assert.Equal(t, http.StatusTooManyRequests, s.ask(t, http.MethodGet, 0).status)
	s.Advance(time.Second)
	assert.Equal(t, http.StatusOK, s.ask(t, http.MethodGet, 0).status, "Resource Manager's flow in by the second")
}
