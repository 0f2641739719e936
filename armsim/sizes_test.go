package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestOldListsOfSizes: the lists that az vm list-sizes and list-vm-resize-options read.
func TestOldListsOfSizes(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, PageSize: 50})
	s.scaleSet(t, flexible(1))
	region := "/subscriptions/" + armsim.DefaultSubscriptionID + "/providers/Microsoft.Compute/locations/"
	of := func(path string) map[string]any {
		sizes := map[string]any{}
		for _, size := range s.list(t, path) {
			sizes[get(size, "name").(string)] = size
		}
		return sizes
	}
	all, fitting := of(region+"westeurope/vmSizes"), of(s.machinesPath()+"/"+s.Instances()[0].Name+"/vmSizes")
	assert.Equal(t, object{"name": "Standard_D2s_v5", "numberOfCores": 2.0, "memoryInMB": 8192.0, "maxDataDiskCount": 4.0, "osDiskSizeInMB": 1047552.0, "resourceDiskSizeInMB": 0.0}, all["Standard_D2s_v5"])
	assert.Contains(t, fitting, "Standard_D4s_v5")
	assert.Contains(t, all, "Standard_D2ps_v5")
	assert.NotContains(t, fitting, "Standard_D2ps_v5", "of another architecture")
	assert.Equal(t, http.StatusBadRequest, s.get(t, region+"nowhere/vmSizes").status)
}
