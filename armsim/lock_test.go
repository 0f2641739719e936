package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestLocksAgainstActions: a ReadOnly lock refuses whatever a POST does, and a CanNotDelete
// lock a deletion alone, of an instance and of what the group holds.
func TestLocksAgainstActions(t *testing.T) {
	t.Parallel()
	const locks = "/providers/Microsoft.Authorization/locks"
	for _, level := range []string{"CanNotDelete", "ReadOnly"} {
		s := virtual(t, armsim.Config{})
		set, disk := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2}), s.ResourcePath("/providers/Microsoft.Compute/disks/data")
		require.Equal(t, http.StatusAccepted, s.send(t, "PUT", disk, emptyDisk(8)).status)
		require.Equal(t, http.StatusCreated, s.send(t, "PUT", s.ResourcePath(locks+"/one"), object{"properties": object{"level": level}}).status)
		one := set + "/virtualMachines/0"
		for _, deletion := range []reply{
			s.send(t, "DELETE", one, nil), s.deleteInstances(t, set, "0"), s.send(t, "DELETE", disk, nil), s.send(t, "DELETE", set+tagsPath, nil), s.send(t, "DELETE", set, nil),
		} {
			assert.Equal(t, []any{http.StatusConflict, "ScopeLocked"}, []any{deletion.status, deletion.code()})
		}
		want := map[string]int{"CanNotDelete": 200, "ReadOnly": 409}[level]
		assert.Equal(t, want, s.send(t, "PATCH", set+tagsPath, tagBody("Merge", object{"a": "b"})).status)
		for _, action := range []reply{s.send(t, "POST", one+"/reimage", nil), s.send(t, "POST", one+"/runCommand", shellScript("true")), s.send(t, "POST", set+"/restart", nil)} {
			assert.Equal(t, level == "ReadOnly", action.code() == "ScopeLocked", action.raw)
		}
		assert.Len(t, s.list(t, set+locks), 1, "of the group")
		require.Equal(t, http.StatusCreated, s.send(t, "PUT", set+locks+"/two", object{"properties": object{"level": level}}).status)
		all := s.ResourcePath(locks) + "?api-version=2016-09-01"
		assert.Len(t, s.list(t, all), 2)
		assert.Len(t, s.list(t, all+"&$filter=atScope()"), 1)
		assert.Equal(t, http.StatusNotImplemented, s.get(t, all+"&$filter=level%20eq%20'ReadOnly'").status)
	}
}
