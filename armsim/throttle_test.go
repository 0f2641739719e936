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

// Microsoft's page on Compute throttling: 4 updates of a scale set a minute,
// 12 at once.
const (
	updateBurst  = 12
	updateRefill = time.Minute / 4
)

func TestThrottling(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true})
	set, other := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"}), s.scaleSet(t, armsim.ScaleSetSpec{Name: "other"})
	s.Advance(time.Hour)
	for n := range updateBurst {
		r := s.send(t, "PATCH", set, `{}`)
		require.Equal(t, http.StatusOK, r.status, r.raw)
		left := "Microsoft.Compute/UpdateVMScaleSetResource;" + strconv.Itoa(updateBurst-1-n)
		assert.Contains(t, r.header.Get("x-ms-ratelimit-remaining-resource"), left)
	}
	r := s.send(t, "PATCH", set, `{}`)
	assert.Equal(t, http.StatusTooManyRequests, r.status)
	assert.Equal(t, "OperationNotAllowed", r.code(), "the code of a quota error, as on Azure")
	assert.Equal(t, "TooManyRequests", r.text("error.details.0.code"))
	assert.Equal(t, "UpdateVMScaleSetResource", r.text("error.details.0.target"))
	assert.Equal(t, strconv.Itoa(int(updateRefill.Seconds())), r.header.Get("Retry-After"))

	assert.Equal(t, http.StatusOK, s.get(t, set).status, "another bucket")
	assert.Equal(t, http.StatusOK, s.send(t, "PATCH", other, `{}`).status, "another resource")
	s.Advance(updateRefill - time.Second)
	r = s.send(t, "PATCH", set, `{}`)
	assert.Equal(t, http.StatusTooManyRequests, r.status)
	assert.Equal(t, "1", r.header.Get("Retry-After"))
	s.Advance(time.Second)
	assert.Equal(t, http.StatusOK, s.send(t, "PATCH", strings.ToUpper(set), `{}`).status)
	assert.Equal(t, http.StatusTooManyRequests, s.send(t, "PATCH", set, `{}`).status, "one bucket in any case")
	s.Advance(time.Hour)
	r = s.send(t, "PATCH", set, `{}`)
	assert.Contains(t, r.header.Get("x-ms-ratelimit-remaining-resource"), "UpdateVMScaleSetResource;11", "full, and no fuller")
}

// TestRefusedCallsDrawNothing: a call that one bucket refuses does not empty
// the others.
func TestRefusedCallsDrawNothing(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	s.Advance(time.Hour)
	for range updateBurst + 20 {
		s.send(t, "PATCH", set, `{}`)
	}
	s.Advance(updateRefill)
	remaining := s.send(t, "PATCH", set, `{}`).header.Get("x-ms-ratelimit-remaining-resource")
	assert.Contains(t, remaining, "UpdateVMScaleSetSubscriptionMaximum;1499")
}

func TestLimitsAreOnlyReportedByDefault(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	var r reply
	for range updateBurst + 3 {
		r = s.send(t, "PATCH", set, `{}`)
		require.Equal(t, http.StatusOK, r.status)
	}
	assert.Contains(t, r.header.Get("x-ms-ratelimit-remaining-resource"), "UpdateVMScaleSetResource;0")
	assert.NotEmpty(t, r.header.Get("x-ms-ratelimit-remaining-subscription-writes"))
}
