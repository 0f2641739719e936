package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func protect(fromScaleIn, fromActions bool) object {
	return object{"properties": object{"protectionPolicy": object{"protectFromScaleIn": fromScaleIn, "protectFromScaleSetActions": fromActions}}}
}

// member is an instance's path below its scale set, in either mode.
func (u *suspended) member(n int) string { return u.set + "/virtualMachines/" + u.ids[n] }

// TestProtection: a lower capacity passes over a protected instance; who deletes it by
// itself does.
func TestProtection(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{})
		u := s.suspendable(t, mode, 3, nil)
		protected := s.newest()
		n := indexOf(u.ids, protected)
		r := s.send(t, "PUT", u.member(n), protect(true, false))
		require.Equal(t, http.StatusOK, r.status, r.raw)
		s.Advance(settled)
		require.Equal(t, "Succeeded", s.status(t, r))
		assert.Equal(t, true, get(s.get(t, u.member(n)).body, "properties.protectionPolicy.protectFromScaleIn"))
		s.setCapacity(t, u.set, 1)
		s.Advance(settled)
		require.Len(t, s.Instances(), 1)
		assert.Equal(t, protected, s.Instances()[0].InstanceID)
		s.setCapacity(t, u.set, 0)
		s.Advance(settled)
		assert.Len(t, s.Instances(), 1)
		assert.Equal(t, http.StatusAccepted, s.deleteInstances(t, u.set, protected).status)
		s.Advance(settled)
		assert.Empty(t, s.Instances())
		assert.Zero(t, s.capacity(t, u.set))
	}
}

// newest is the instance that a lower capacity would take first.
func (s *sim) newest() string {
	all := s.Instances()
	return all[len(all)-1].InstanceID
}

func indexOf(all []string, one string) int {
	for n, each := range all {
		if each == one {
			return n
		}
	}
	return -1
}

func TestProtectionInLists(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	u := s.suspendable(t, "Uniform", 2, nil)
	s.send(t, "PUT", u.member(0), protect(true, true))
	all := s.list(t, u.set+"/virtualMachines")
	assert.Equal(t, true, get(all[0], "properties.protectionPolicy.protectFromScaleSetActions"))
	assert.Nil(t, get(all[1], "properties.protectionPolicy"))
	s.send(t, "PUT", u.member(0), protect(false, false))
	assert.Equal(t, false, get(s.get(t, u.member(0)).body, "properties.protectionPolicy.protectFromScaleIn"))
}

// TestProtectionFromActions: on the whole set, not on the instance by name.
func TestProtectionFromActions(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	u := s.suspendable(t, "Uniform", 3, nil)
	s.send(t, "PUT", u.member(0), protect(true, true))
	s.send(t, "PUT", u.member(1), protect(true, false))
	s.Advance(settled)
	s.batch(t, u.set, "deallocate", nil)
	assert.Equal(t, []string{"running", "deallocated", "deallocated"}, u.powers())
	s.batch(t, u.set, "deallocate", object{"instanceIds": u.ids[:1]})
	assert.Equal(t, []string{"deallocated", "deallocated", "deallocated"}, u.powers())
	r := s.send(t, "PUT", u.member(2), protect(false, true))
	assert.Equal(t, []any{http.StatusBadRequest, "InvalidParameter"}, []any{r.status, r.code()})
}

// TestProtectionMayCoverNamed: others are reached.
func TestProtectionMayCoverNamed(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Unknowns: armsim.Unknowns{ProtectionCoversNamed: true}})
	u := s.suspendable(t, "Uniform", 3, nil)
	s.send(t, "PUT", u.member(0), protect(true, true))
	s.send(t, "PUT", u.member(1), protect(true, false))
	s.Advance(settled)
	s.batch(t, u.set, "deallocate", object{"instanceIds": u.ids[:2]})
	assert.Equal(t, []string{"running", "deallocated", "running"}, u.powers())
}

func TestProtectionOfFlexibleSets(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	u := s.suspendable(t, "Flexible", 1, nil)
	for _, c := range []struct {
		target string
		body   any
		status int
	}{
		{u.member(0) + "?api-version=2023-07-01", protect(true, false), 400},
		{u.member(0) + "?api-version=2023-09-01", protect(true, false), 200},
		{u.member(0), object{"tags": object{"a": "b"}}, 400},
		{u.member(0) + "x", protect(true, false), 400},
	} {
		r := s.send(t, "PUT", c.target, c.body)
		assert.Equal(t, c.status, r.status, r.raw)
	}
	assert.Nil(t, get(s.get(t, u.paths[0]).body, "properties.protectionPolicy"), "the virtual machine has no such property")
}

func TestInstanceTags(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Unknowns: armsim.Unknowns{InstanceTagsKept: true}})
	u := s.suspendable(t, "Uniform", 2, func(model object) { model["tags"] = object{"team": "ci"} })
	etag := s.get(t, u.set).text("etag")
	assert.Equal(t, object{"team": "ci"}, s.get(t, u.member(0)).body["tags"])
	r := s.send(t, "PUT", u.member(0), object{"tags": object{"a": "b"}}, header{"If-Match": etag})
	require.Equal(t, http.StatusOK, r.status, r.raw)
	assert.Equal(t, object{"a": "b"}, r.body["tags"])
	s.send(t, "PATCH", u.set, `{"tags":{"team":"other"}}`)
	s.Advance(settled)
	all := s.list(t, u.set+"/virtualMachines")
	assert.Equal(t, object{"a": "b"}, get(all[0], "tags"))
	assert.Equal(t, object{"team": "other"}, get(all[1], "tags"))
	s.send(t, "PUT", u.member(0), protect(true, false))
	assert.Equal(t, object{"a": "b"}, s.get(t, u.member(0)).body["tags"], "what a PUT leaves out stays")
}

// TestMachineTags: a PATCH replaces them all.
func TestMachineTags(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	u := s.suspendable(t, "Flexible", 1, func(model object) { model["tags"] = object{"team": "ci"} })
	r := s.send(t, "PATCH", u.paths[0], `{"tags":{"a":"b"}}`)
	require.Equal(t, http.StatusOK, r.status, r.raw)
	assert.Equal(t, object{"a": "b"}, get(s.machines(t, u.set)[0], "tags"))
	s.send(t, "PATCH", u.paths[0], `{"properties":{}}`)
	assert.Equal(t, object{"a": "b"}, s.get(t, u.paths[0]).body["tags"])
}

func TestMarksMayBeRefused(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Unknowns: armsim.Unknowns{InstanceTagsRefused: true, ProtectionRefused: true}})
	u := s.suspendable(t, "Uniform", 1, func(model object) { model["tags"] = object{"team": "ci"} })
	r := s.send(t, "PUT", u.member(0), object{"tags": object{"a": "b"}})
	assert.Equal(t, []any{http.StatusConflict, "PropertyChangeNotAllowed"}, []any{r.status, r.code()})
	r = s.send(t, "PUT", u.member(0), protect(true, true))
	assert.Equal(t, []any{http.StatusConflict, "OperationNotAllowed"}, []any{r.status, r.code()})
	r = s.send(t, "PUT", u.member(0), object{"tags": object{"team": "ci"}})
	assert.Equal(t, http.StatusOK, r.status, "what it has may be sent back")
}
