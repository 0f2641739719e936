package armsim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestNewestVersion: newer ones, and those that never were, get Azure's list of
// those that there are; others of the provider's types go on.
func TestNewestVersion(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{NewestAPIVersion: map[string]string{"microsoft.compute": "2020-06-01", "Microsoft.Insights": "2015-04-01"}})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	for target, want := range map[string]string{
		set + "?api-version=2020-06-01":                   "",
		set + "?api-version=2019-12-01":                   "",
		strings.ToUpper(set) + "?API-VERSION=2020-06-01":  "",
		set + "?api-version=2020-12-01":                   "virtualMachineScaleSets",
		set + "?api-version=2026-04-01":                   "virtualMachineScaleSets",
		set + "?api-version=2020-01-01":                   "virtualMachineScaleSets",
		set + "/virtualMachines?api-version=2025-04-01":   "virtualMachineScaleSets/virtualMachines",
		set + "/virtualMachines/0?api-version=2025-04-01": "virtualMachineScaleSets/virtualMachines",
		set + "/networkInterfaces?api-version=2025-04-01": "virtualMachineScaleSets/networkInterfaces",
		s.ResourcePath("") + "?api-version=2025-04-01":    "",
		s.networkPath("networkInterfaces"):                "",
	} {
		r := s.get(t, target)
		if want == "" {
			assert.Equal(t, http.StatusOK, r.status, "%s: %s", target, r.raw)
			continue
		}
		assert.Equal(t, []any{http.StatusBadRequest, "NoRegisteredProviderFound"}, []any{r.status, r.code()}, target)
		assert.Contains(t, r.message(), "for location 'westeurope' and API version '2")
		assert.Contains(t, r.message(), " for type '"+want+"'. The supported api-versions are '2015-06-15, 2016-03-30,")
		assert.Contains(t, r.message(), ", 2019-12-01, 2020-06-01'. The supported locations are 'westeurope'.")
	}
	r := s.send(t, "POST", set+"/delete", object{"instanceIds": []string{"0"}})
	assert.Contains(t, r.message(), "for type 'virtualMachineScaleSets'.")
	r = s.send(t, "PUT", s.ResourcePath("/providers/Microsoft.Insights/autoscaleSettings/a")+"?api-version=2022-10-01", `{}`)
	assert.Contains(t, r.message(), "The supported api-versions are '2015-04-01'.")
}

// TestOldVersionsHaveNoETags, and look at no condition; Network's have.
func TestOldVersionsHaveNoETags(t *testing.T) {
	t.Parallel()
	for version, has := range map[string]bool{"2023-07-01": false, "2023-09-01": true} {
		for _, mode := range modes {
			s := virtual(t, armsim.Config{Polite: true, NewestAPIVersion: map[string]string{"Microsoft.Compute": version}})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 2})
			query := "?api-version=" + version
			paths := []string{set + query, s.paths(set)[0] + query, s.machinesPath() + query, set + "/virtualMachines" + query}
			for n, path := range paths {
				r := s.get(t, path)
				require.Equal(t, http.StatusOK, r.status, r.raw)
				if has && n < 2 {
					assert.NotEmpty(t, r.header.Get("ETag"))
					assert.NotEmpty(t, r.text("etag"))
				}
				if !has {
					assert.Empty(t, r.header.Get("ETag"))
					assert.NotContains(t, r.raw, `"etag"`)
				}
			}
			r := s.send(t, "PATCH", set+query, object{"sku": object{"capacity": 3}}, header{"If-Match": `"4711"`})
			want := map[bool]int{false: http.StatusOK, true: http.StatusPreconditionFailed}[has]
			assert.Equal(t, want, r.status, r.raw)
			assert.Empty(t, r.header.Get("ETag"))
		}
	}
}

func TestImpossibleVersions(t *testing.T) {
	t.Parallel()
	for want, newest := range map[string]map[string]string{
		`newest api-version of "Microsoft.Web": no such provider`:                 {"Microsoft.Web": "2020-06-01"},
		`newest api-version "new" of Microsoft.Compute: it must be a date from 2`: {"Microsoft.Compute": "new"},
		`newest api-version "2001-01-01" of microsoft.network`:                    {"microsoft.network": "2001-01-01"},
	} {
		_, err := armsim.New(armsim.Config{InProcess: true, NewestAPIVersion: newest})
		assert.ErrorContains(t, err, want)
	}
}
