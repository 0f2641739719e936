package armsim_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func unknown(t *testing.T, names ...string) armsim.Unknowns {
	t.Helper()
	var u armsim.Unknowns
	require.NoError(t, u.Set(names...))
	return u
}

func TestUnknownNames(t *testing.T) {
	t.Parallel()
	var all armsim.Unknowns
	require.NoError(t, all.Set(armsim.UnknownNames()...))
	fields := reflect.ValueOf(all)
	require.Equal(t, fields.NumField(), len(armsim.UnknownNames()))
	for n, name := range armsim.UnknownNames() {
		assert.True(t, fields.Field(n).Bool())
		one := reflect.ValueOf(unknown(t, name))
		for other := range one.NumField() {
			assert.Equal(t, n == other, one.Field(other).Bool(), name)
		}
	}
	assert.ErrorContains(t, new(armsim.Unknowns).Set("nonsense"), "keys-fixed")
}

// deletion is a way to delete one of three instances, and the capacity at
// acceptance and at the end.
type deletion struct {
	mode               string
	single             bool
	unknown            []string
	accepted, finished int
	etagMoves          bool
}

func TestCapacityAfterDeletion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]deletion{
		"Uniform":                     {"Uniform", false, nil, 2, 2, true},
		"Uniform, single":             {"Uniform", true, nil, 2, 2, true},
		"Uniform, late":               {"Uniform", false, []string{"capacity-falls-late"}, 3, 2, true},
		"Uniform, ETag kept":          {"Uniform", false, []string{"delete-keeps-etag"}, 2, 2, false},
		"Flexible":                    {"Flexible", false, nil, 2, 2, true},
		"Flexible, late":              {"Flexible", false, []string{"capacity-falls-late"}, 3, 2, true},
		"Flexible, late, ETag kept":   {"Flexible", false, []string{"capacity-falls-late", "delete-keeps-etag"}, 3, 2, false},
		"Uniform, unseen":             {"Uniform", false, []string{"capacity-falls-unseen"}, 3, 2, true},
		"Flexible, unseen":            {"Flexible", false, []string{"capacity-falls-unseen"}, 3, 2, true},
		"Flexible, kept":              {"Flexible", false, []string{"flexible-delete-keeps-capacity"}, 3, 3, true},
		"Uniform is not kept":         {"Uniform", false, []string{"flexible-delete-keeps-capacity"}, 2, 2, true},
		"machine":                     {"Flexible", true, nil, 3, 3, false},
		"machine, lowered":            {"Flexible", true, []string{"vm-delete-lowers-capacity"}, 2, 2, true},
		"machine, lowered late":       {"Flexible", true, []string{"vm-delete-lowers-capacity", "capacity-falls-late"}, 3, 2, true},
		"machine, not even when kept": {"Flexible", true, []string{"flexible-delete-keeps-capacity"}, 3, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func (c deletion) check(t *testing.T) {
	s := virtual(t, armsim.Config{Unknowns: unknown(t, c.unknown...)})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: c.mode, Capacity: 3})
	etag := s.get(t, set).text("etag")
	var accepted reply
	if c.single {
		accepted = s.send(t, "DELETE", s.paths(set)[0], nil)
	} else {
		accepted = s.deleteInstances(t, set, s.Instances()[0].InstanceID)
	}
	require.Equal(t, http.StatusAccepted, accepted.status, accepted.raw)
	assert.Equal(t, c.accepted, s.capacity(t, set))
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.status(t, accepted))
	assert.Equal(t, c.finished, s.capacity(t, set))
	assert.Equal(t, 2, s.Stats().Instances)
	assert.Equal(t, c.etagMoves, etag != s.get(t, set).text("etag"))
}

// TestDeletionsThatAreNotSeen: the scale set is Succeeded all along, unless
// something else is under way; the instances are Deleting.
func TestDeletionsThatAreNotSeen(t *testing.T) {
	t.Parallel()
	for unseen, want := range map[bool]string{false: "Updating", true: "Succeeded"} {
		s := virtual(t, armsim.Config{Polite: true, Unknowns: armsim.Unknowns{CapacityFallsUnseen: unseen}})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 3})
		state := func() string { return s.get(t, set).text("properties.provisioningState") }
		deleted := s.deleteInstances(t, set, "0")
		assert.Equal(t, want, state())
		assert.Equal(t, "InProgress", s.status(t, deleted))
		assert.Equal(t, "Deleting", s.get(t, set+"/virtualMachines/0").text("properties.provisioningState"))
		s.setCapacity(t, set, 4)
		assert.Equal(t, "Updating", state())
		s.deleteInstances(t, set, "1")
		assert.Equal(t, "Updating", state())
		s.Advance(settled)
		assert.Equal(t, "Succeeded", state())
		if unseen {
			assert.Equal(t, 2, s.capacity(t, set))
		}
		assert.Equal(t, s.capacity(t, set), s.Stats().Instances)
	}
}

func TestDeadIDsInABatch(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		for _, ignored := range []bool{false, true} {
			s := virtual(t, armsim.Config{Unknowns: armsim.Unknowns{DeadIDsIgnored: ignored}})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 2})
			inactive := map[string]string{"Uniform": "4711", "Flexible": "ci_00000000"}[mode]
			r := s.deleteInstances(t, set, inactive, s.Instances()[0].InstanceID)
			want, left := http.StatusBadRequest, 2
			if ignored {
				want, left = http.StatusAccepted, 1
			}
			assert.Equal(t, want, r.status, r.raw)
			assert.Equal(t, left, s.capacity(t, set))
			assert.Equal(t, want, s.deleteInstances(t, set, inactive).status, "nothing but inactive ones")
			if mode == "Uniform" {
				assert.Equal(t, http.StatusBadRequest, s.deleteInstances(t, set, "ci_1").status)
			}
			s.Advance(settled)
			assert.Equal(t, left, s.Stats().Instances)
		}
	}
}

// TestFlexibleDrift: instances deleted as virtual machines leave the capacity
// too high, and a new capacity does not make up for them.
func TestFlexibleDrift(t *testing.T) {
	t.Parallel()
	for counts, want := range map[bool]int{false: 2, true: 4} {
		s := virtual(t, armsim.Config{Unknowns: armsim.Unknowns{FlexibleCountsInstances: counts}})
		set := s.scaleSet(t, flexible(3))
		for _, path := range s.paths(set)[:2] {
			s.send(t, "DELETE", path, nil)
		}
		s.Advance(settled)
		require.Equal(t, 3, s.capacity(t, set))
		s.setCapacity(t, set, 4)
		s.Advance(settled)
		assert.Equal(t, 4, s.capacity(t, set))
		assert.Equal(t, want, s.Stats().Instances)
		s.setCapacity(t, set, 3)
		s.Advance(settled)
		assert.Equal(t, want-1, s.Stats().Instances, "the way down takes live ones")
		s.setCapacity(t, set, 0)
		s.Advance(settled)
		assert.Zero(t, s.Stats().Instances)
	}
}

func TestInstancesThatAreGone(t *testing.T) {
	t.Parallel()
	for _, invalid := range []bool{false, true} {
		s := virtual(t, armsim.Config{Unknowns: armsim.Unknowns{GoneIsInvalidParameter: invalid}})
		uniform := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"}) + "/virtualMachines/7"
		other := s.scaleSet(t, armsim.ScaleSetSpec{Name: "other", OrchestrationMode: "Flexible"}) + "/virtualMachines/other_1"
		want := []any{http.StatusNotFound, "NotFound", ""}
		if invalid {
			want = []any{http.StatusBadRequest, "InvalidParameter", "instanceIds"}
		}
		for _, path := range []string{uniform, uniform + "/instanceView", other} {
			r := s.get(t, path)
			assert.Equal(t, want, []any{r.status, r.code(), r.text("error.target")}, path)
		}
		assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", uniform, nil).status)
		r := s.send(t, "PUT", uniform, `{}`)
		assert.Equal(t, []any{http.StatusBadRequest, "InvalidParameter", "instanceIds"}, []any{r.status, r.code(), r.text("error.target")})
	}
}

func TestKeysMayBeFixed(t *testing.T) {
	t.Parallel()
	body := `{"properties":{"virtualMachineProfile":{"osProfile":{"linuxConfiguration":{"ssh":{"publicKeys":[{"path":"/home/azureuser/.ssh/authorized_keys","keyData":"` + secondKey + `"}]}}}}}}`
	for fixed, want := range map[bool]int{false: http.StatusOK, true: http.StatusConflict} {
		s := virtual(t, armsim.Config{Unknowns: armsim.Unknowns{KeysFixed: fixed}})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", PublicKey: firstKey})
		r := s.send(t, "PATCH", set, body)
		assert.Equal(t, want, r.status)
		if fixed {
			assert.Equal(t, "PropertyChangeNotAllowed", r.code())
		}
		assert.Equal(t, http.StatusOK, s.setCapacity(t, set, 1).status)
	}
}

// TestListsOfWhatMayNotBeRead: one that is empty says nothing of a role that is
// missing; all else is refused as ever.
func TestListsOfWhatMayNotBeRead(t *testing.T) {
	t.Parallel()
	const set = "Microsoft.Compute/virtualMachineScaleSets/"
	for _, empty := range []bool{false, true} {
		for _, mode := range modes {
			s := virtual(t, armsim.Config{
				Unknowns:   armsim.Unknowns{UnreadableListsEmpty: empty},
				Principals: []armsim.Principal{{ClientID: "poor", Secret: "s", Actions: []string{set + "read", set + "write", set + "delete/action"}}},
			})
			path := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 5})
			one, list := path+"/virtualMachines/"+s.Instances()[0].InstanceID, path+"/virtualMachines"
			if mode == "Flexible" {
				list = s.machinesPath()
			}
			r := s.get(t, list)
			if empty {
				assert.Equal(t, http.StatusOK, r.status, r.raw)
				assert.Equal(t, object{"value": []any{}}, r.body)
			} else {
				assert.Equal(t, []any{http.StatusForbidden, "AuthorizationFailed"}, []any{r.status, r.code()})
			}
			assert.Equal(t, http.StatusForbidden, s.get(t, one).status)
			assert.Equal(t, http.StatusForbidden, s.get(t, path+"/instanceView").status)
			assert.Equal(t, http.StatusOK, s.setCapacity(t, path, 6).status)
			missing := s.get(t, strings.Replace(list, "/resourceGroups/ci/", "/resourceGroups/none/", 1))
			assert.NotEqual(t, http.StatusOK, missing.status)
		}
	}
}
