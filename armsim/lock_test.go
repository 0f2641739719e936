package armsim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestLocksAndRolesGoWithTheirResource: who makes it again finds none.
func TestLocksAndRolesGoWithTheirResource(t *testing.T) {
	t.Parallel()
	const lock, role = authorization + "locks/one?api-version=2016-09-01", authorization + "roleAssignments/00000000-0000-4000-8000-000000000001?api-version=2022-04-01"
	s := withPrincipals(t, armsim.Config{Polite: true})
	uniform, spec := s.scaleSet(t, armsim.ScaleSetSpec{Name: "uni", Capacity: 1}), flexible(1)
	flex := s.scaleSet(t, spec)
	vm := s.machinesPath() + "/own"
	s.make(t, vm, looseMachine("Standard_D2s_v5", nil))
	scopes := []string{uniform + "/virtualMachines/" + s.ids(t, uniform)[0], uniform, s.machines(t, flex)[0].(object)["id"].(string), flex, vm}
	group := s.ResourcePath(authorization + "roleAssignments?api-version=2022-04-01")
	before := len(s.list(t, group))
	for n, scope := range scopes {
		name := strings.Replace(role, "00000001", fmt.Sprintf("%08d", n), 1)
		r := s.send(t, "PUT", scope+name, object{"properties": object{
			"roleDefinitionId": s.roleID(t, s.ResourcePath(""), "Reader"), "principalId": "nobodys-object", "principalType": "ServicePrincipal"}})
		require.Equal(t, http.StatusCreated, r.status, r.raw)
	}
	require.Len(t, s.list(t, group), before+len(scopes))
	for _, scope := range []string{uniform, flex, vm} {
		s.send(t, "DELETE", scope, nil)
		s.Advance(settled)
		require.Equal(t, http.StatusNotFound, s.get(t, scope).status)
	}
	assert.Len(t, s.list(t, group), before)

	one := s.scaleSet(t, armsim.ScaleSetSpec{Name: "uni", Capacity: 1})
	locked := one + "/virtualMachines/" + s.ids(t, one)[0]
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", locked+lock, object{"properties": object{"level": "CanNotDelete"}}).status)
	s.setCapacity(t, one, 0)
	s.Advance(settled)
	assert.Empty(t, s.list(t, s.ResourcePath(authorization+"locks?api-version=2016-09-01")))
}

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
