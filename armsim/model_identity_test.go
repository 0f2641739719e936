package armsim_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// shownIdentity is the type of a resource's identity, whether it has a principal of its own,
// and the names of the identities that a user assigned.
func shownIdentity(t *testing.T, r reply) string {
	t.Helper()
	require.Less(t, r.status, http.StatusBadRequest, r.raw)
	identity, _ := r.body["identity"].(object)
	if identity == nil {
		return "none"
	}
	words := []string{identity["type"].(string)}
	if identity["principalId"] != nil {
		assert.Equal(t, armsim.DefaultTenantID, identity["tenantId"])
		words = append(words, "own")
	}
	assigned, _ := identity["userAssignedIdentities"].(object)
	for _, id := range slices.Sorted(maps.Keys(assigned)) {
		assert.NotEmpty(t, get(assigned[id], "clientId"))
		assert.NotEmpty(t, get(assigned[id], "principalId"))
		words = append(words, id[strings.LastIndexByte(id, '/')+1:])
	}
	return strings.Join(words, " ")
}

// TestIdentitiesAreMerged: null removes one that a user assigned, a type without them all.
func TestIdentitiesAreMerged(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"set", "machine"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{Polite: true})
			known := s.make(t, identityOf(s, "one"), object{})
			one, two := identityOf(s, "one"), identityOf(s, "two")
			path := s.machinesPath() + "/own"
			if kind == "set" {
				path = s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
			} else {
				s.make(t, path, looseMachine("Standard_D2s_v5", nil))
			}
			for _, c := range []struct {
				change object
				want   string
			}{
				{object{"type": "UserAssigned", "userAssignedIdentities": object{one: object{}, two: object{}}}, "UserAssigned one two"},
				{object{"type": "UserAssigned", "userAssignedIdentities": object{strings.ToUpper(two): object{}}}, "UserAssigned one two"},
				{object{"type": "UserAssigned", "userAssignedIdentities": object{strings.ToUpper(two): nil}}, "UserAssigned one"},
				{object{"type": "SystemAssigned, UserAssigned"}, "SystemAssigned, UserAssigned own one"},
				{object{"type": "SystemAssigned"}, "SystemAssigned own"},
				{object{"type": "UserAssigned", "userAssignedIdentities": object{one: object{}}}, "UserAssigned one"},
				{object{"type": "None"}, "none"},
			} {
				r := s.send(t, "PATCH", path, object{"identity": c.change})
				assert.Equal(t, c.want, shownIdentity(t, r), c.change)
				s.Advance(settled)
				again := s.get(t, path)
				assert.Equal(t, c.want, shownIdentity(t, again))
				if strings.Contains(c.want, " one") {
					assigned := again.body["identity"].(object)["userAssignedIdentities"].(object)
					assert.Equal(t, known.text("properties.principalId"), get(assigned[one], "principalId"))
				}
				assert.Equal(t, c.want, shownIdentity(t, s.send(t, "PUT", path, again.body)), "what was read changes nothing")
			}
		})
	}
}

// TestSystemPrincipalsTakeRoles for as long as their resource has them.
func TestSystemPrincipalsTakeRoles(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	system := object{"type": "SystemAssigned"}
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Change: func(m map[string]any) { m["identity"] = system }})
	vm := s.machinesPath() + "/own"
	s.make(t, vm, looseMachine("Standard_D2s_v5", func(m object) { m["identity"] = system }))
	for n, path := range []string{set, vm} {
		principal := s.get(t, path).text("identity.principalId")
		name := []string{"one", "two"}[n]
		r := s.assign(t, s.ResourcePath(""), name, "Reader", principal)
		require.Equal(t, http.StatusCreated, r.status, r.raw)
		require.Equal(t, http.StatusOK, s.send(t, "PATCH", path, object{"identity": object{"type": "None"}}).status)
		s.Advance(settled)
		r = s.assign(t, s.ResourcePath(""), name+"-again", "Contributor", principal)
		assert.Equal(t, "PrincipalNotFound", r.code(), r.raw)
	}
}
