package armsim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func emptyDisk(gigabytes int) object {
	return object{"location": "westeurope", "properties": object{"creationData": object{"createOption": "Empty"}, "diskSizeGB": gigabytes}}
}

// TestDisksOfInstances are under the IDs that the instances name, and say whose they are.
func TestDisksOfInstances(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{Polite: true, PageSize: 2})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 3})
		all := s.ResourcePath("/providers/Microsoft.Compute/disks")
		assert.Len(t, s.list(t, all), 3)
		assert.Len(t, s.list(t, "/subscriptions/"+armsim.DefaultSubscriptionID+"/providers/Microsoft.Compute/disks"), 3)
		one := s.paths(set)[0]
		id := s.diskOf(t, one)
		r := s.get(t, id)
		require.Equal(t, http.StatusOK, r.status, r.raw)
		assert.True(t, strings.EqualFold(id, r.text("id")))
		assert.Equal(t, s.get(t, one).text("id"), r.text("managedBy"))
		assert.Equal(t, []any{"Premium_LRS", "Premium", "Linux", "Attached", "FromImage", 30.0, 30.0 * (1 << 30)}, []any{
			r.text("sku.name"), r.text("sku.tier"), r.text("properties.osType"), r.text("properties.diskState"),
			r.text("properties.creationData.createOption"), get(r.body, "properties.diskSizeGB"), get(r.body, "properties.diskSizeBytes"),
		})
		r = s.send(t, "DELETE", id, nil)
		assert.Equal(t, []any{http.StatusConflict, "OperationNotAllowed"}, []any{r.status, r.code()})
		assert.Contains(t, r.message(), "is attached to VM "+s.get(t, one).text("id"))
		s.send(t, "POST", one+"/deallocate", nil)
		s.Advance(settled)
		r = s.get(t, id)
		assert.Equal(t, []any{"Reserved", 30.0, "Premium_LRS"}, []any{r.text("properties.diskState"), get(r.body, "properties.diskSizeGB"), r.text("sku.name")})
		s.setCapacity(t, set, 0)
		s.Advance(settled)
		assert.Empty(t, s.list(t, all))
		assert.Equal(t, "ResourceNotFound", s.get(t, id).code())
	}
}

func TestDisksThatClientsMake(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	path := s.ResourcePath("/providers/Microsoft.Compute/disks/data")
	r := s.send(t, "PUT", path, emptyDisk(8))
	require.Equal(t, http.StatusAccepted, r.status, r.raw)
	assert.Contains(t, r.header.Get("Azure-AsyncOperation"), "/DiskOperations/")
	assert.Equal(t, "InProgress", s.status(t, r))
	assert.Equal(t, http.StatusAccepted, s.get(t, r.header.Get("Location")).status)
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.status(t, r))
	r = s.get(t, path)
	assert.Equal(t, []any{"Succeeded", "Unattached", "Standard_LRS", "Standard"}, []any{r.text("properties.provisioningState"), r.text("properties.diskState"), r.text("sku.name"), r.text("sku.tier")})
	r = s.send(t, "PATCH", path, object{"tags": object{"a": "b"}, "sku": object{"name": "StandardSSD_LRS"}, "properties": object{"diskSizeGB": 16}})
	require.Equal(t, http.StatusAccepted, r.status, r.raw)
	assert.Equal(t, []any{16.0, "b", "Standard"}, []any{get(r.body, "properties.diskSizeGB"), r.text("tags.a"), r.text("sku.tier")})
	assert.Len(t, s.list(t, s.ResourcePath("/providers/Microsoft.Compute/disks")), 1)
	assert.Len(t, s.list(t, s.ResourcePath("/resources")), 1)

	smaller := s.send(t, "PUT", path, emptyDisk(4))
	assert.Equal(t, http.StatusBadRequest, smaller.status)
	assert.Equal(t, http.StatusAccepted, s.send(t, "DELETE", path, nil).status)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", path, nil).status)
	assert.Equal(t, http.StatusNotFound, s.send(t, "PATCH", path, object{}).status)
	assert.Equal(t, http.StatusBadRequest, s.send(t, "PUT", path, object{"location": "westeurope"}).status)
	assert.Equal(t, http.StatusBadRequest, s.send(t, "PUT", path, emptyDisk(0)).status)
	copied := object{"location": "westeurope", "properties": object{"creationData": object{"createOption": "Copy"}}}
	assert.Equal(t, http.StatusNotImplemented, s.send(t, "PUT", path, copied).status)
}

// TestAttachedDisks are listed once, in their own group, and say whose they are.
func TestAttachedDisks(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true, PageSize: 50})
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", inSubscription("/resourceGroups/other"), object{"location": "westeurope"}).status)
	here := s.ResourcePath("/providers/Microsoft.Compute/disks/")
	there := strings.Replace(here, "/resourceGroups/ci/", "/resourceGroups/other/", 1)
	var luns []any
	for n, id := range []string{here + "mine", there + "theirs"} {
		require.Equal(t, http.StatusAccepted, s.send(t, "PUT", id, emptyDisk(8)).status)
		luns = append(luns, object{"lun": n, "createOption": "Attach", "managedDisk": object{"id": strings.ToUpper(id)}})
	}
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	one := s.paths(set)[0]
	attach := func(disks []any, state string) {
		require.Equal(t, http.StatusOK, s.send(t, "PUT", one, object{"properties": object{"storageProfile": object{"dataDisks": disks}}}).status)
		s.Advance(settled)
		assert.Len(t, s.namesOf(t, strings.TrimSuffix(here, "/")), 2, "with that of the operating system")
		assert.Equal(t, []string{"theirs"}, s.namesOf(t, strings.TrimSuffix(there, "/")))
		for _, id := range []string{here + "mine", there + "theirs"} {
			r := s.get(t, id)
			assert.Equal(t, state, r.text("properties.diskState"))
			assert.Equal(t, state == "Attached", r.text("managedBy") == s.get(t, one).text("id"))
		}
	}
	attach(luns, "Attached")
	r := s.send(t, "DELETE", there+"theirs", nil)
	assert.Equal(t, []any{http.StatusConflict, "OperationNotAllowed"}, []any{r.status, r.code()})
	assert.Equal(t, http.StatusNotFound, s.get(t, here+"theirs").status)
	attach([]any{}, "Unattached")
	assert.Equal(t, http.StatusAccepted, s.send(t, "DELETE", there+"theirs", nil).status)
}

// TestDisksThatAreNone: one on the host is no resource.
func TestDisksThatAreNone(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1, Size: "Standard_D2ds_v5", Change: func(model object) {
		profileOf(model)["storageProfile"].(object)["osDisk"] = object{"diffDiskSettings": object{"option": "Local"}, "createOption": "FromImage", "caching": "ReadOnly"}
	}})
	require.Len(t, s.Instances(), 1)
	assert.Empty(t, s.list(t, s.ResourcePath("/providers/Microsoft.Compute/disks")))
}
