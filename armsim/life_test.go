package armsim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// seen is what the API shows of an instance's state: provisioning, power and
// whether its interface is listed.
type seen struct {
	state, power string
	nic          bool
}

func (s *sim) seen(t tb, set, id string) seen {
	t.Helper()
	i := s.get(t, set+"/virtualMachines/"+id+"?api-version="+version+"&$expand=instanceView")
	if i.status == http.StatusNotFound {
		return seen{}
	}
	now := seen{state: i.text("properties.provisioningState")}
	statuses, _ := get(i.body, "properties.instanceView.statuses").([]any)
	for _, status := range statuses {
		code := strings.ToLower(get(status, "code").(string))
		if power, ok := strings.CutPrefix(code, "powerstate/"); ok {
			now.power = power
		} else {
			assert.Equal(t, "provisioningstate/"+strings.ToLower(now.state), code)
		}
	}
	nics := s.get(t, set+"/virtualMachines/"+id+"/networkInterfaces?api-version=2018-10-01")
	now.nic = len(nics.values()) == 1
	return now
}

func TestBirth(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	accepted := s.setCapacity(t, set, 1)
	require.Equal(t, http.StatusOK, accepted.status)
	assert.Equal(t, "Updating", accepted.text("properties.provisioningState"))
	assert.Equal(t, 1, s.capacity(t, set))
	id := s.ids(t, set)[0]
	for _, step := range []struct {
		after     time.Duration
		want      seen
		operation string
	}{
		{0, seen{"Creating", "", false}, "InProgress"},
		{boot/3 - 1, seen{"Creating", "", false}, "InProgress"},
		{1, seen{"Creating", "starting", true}, "InProgress"},
		{boot*2/3 - 1, seen{"Creating", "starting", true}, "InProgress"},
		{1, seen{"Succeeded", "running", true}, "Succeeded"},
	} {
		s.Advance(step.after)
		assert.Equal(t, step.want, s.seen(t, set, id))
		assert.Equal(t, step.operation, s.status(t, accepted))
	}
	assert.Equal(t, "Succeeded", s.get(t, set).text("properties.provisioningState"))
	assert.NotEmpty(t, s.operation(t, accepted).text("endTime"))
}

func TestDeath(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 3})
	ids := s.ids(t, set)
	accepted := s.deleteInstances(t, set, ids[0], ids[1], ids[0])
	require.Equal(t, http.StatusAccepted, accepted.status, accepted.raw)
	assert.Equal(t, 1, s.capacity(t, set), "the capacity falls at acceptance, once for each instance")
	assert.Equal(t, seen{"Deleting", "stopping", true}, s.seen(t, set, ids[0]))
	monitor := accepted.header.Get("Location")
	poll := s.get(t, monitor)
	assert.Equal(t, http.StatusAccepted, poll.status)
	assert.Empty(t, poll.raw)
	s.Advance(removal - 1)
	assert.Equal(t, "InProgress", s.status(t, accepted))
	assert.Equal(t, "Updating", s.get(t, set).text("properties.provisioningState"))
	s.Advance(1)
	assert.Equal(t, ids[2:], s.ids(t, set))
	assert.Equal(t, "Succeeded", s.status(t, accepted))
	poll = s.get(t, monitor)
	assert.Equal(t, http.StatusOK, poll.status)
	assert.Empty(t, poll.raw)
}

func TestDeletionOfUnknownInstances(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	ids := s.ids(t, set)
	for name, wrong := range map[string]string{
		"unknown": "77", "overlong": strings.Repeat("1", 500), "no number": "ci_0", "empty": "", "all, among others": "*",
	} {
		t.Run(name, func(t *testing.T) {
			r := s.deleteInstances(t, set, ids[0], wrong)
			assert.Equal(t, http.StatusBadRequest, r.status)
			assert.Equal(t, "InvalidParameter", r.code())
			assert.Equal(t, "instanceIds", r.text("error.target"))
			s.Advance(settled)
			assert.Equal(t, ids, s.ids(t, set))
			assert.Equal(t, 2, s.capacity(t, set))
		})
	}
}

func TestDeletionTwice(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	one := set + "/virtualMachines/" + s.ids(t, set)[0]
	assert.Equal(t, http.StatusAccepted, s.send(t, "DELETE", one, nil).status)
	assert.Equal(t, http.StatusConflict, s.send(t, "DELETE", one, nil).status)
	assert.Equal(t, http.StatusConflict, s.send(t, "POST", one+"/start", nil).status)
	assert.Zero(t, s.capacity(t, set))
	s.Advance(settled)
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", one, nil).status)
	assert.Zero(t, s.capacity(t, set))
}

func TestNewerCapacityPreempts(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	older := s.setCapacity(t, set, 2)
	s.Advance(time.Second)
	newer := s.setCapacity(t, set, 3)
	poll := s.operation(t, older)
	assert.Equal(t, http.StatusOK, poll.status)
	assert.Equal(t, "Failed", poll.text("status"))
	assert.Equal(t, "OperationPreempted", poll.text("error.code"))
	assert.Equal(t, "InProgress", s.status(t, newer))
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.status(t, newer))
	assert.Len(t, s.ids(t, set), 3)
	assert.Equal(t, "Succeeded", s.get(t, set).text("properties.provisioningState"))
}

func TestScaleInTakesTheHighestIDs(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 12})
	ids := s.ids(t, set)
	s.setCapacity(t, set, 4)
	s.Advance(settled)
	assert.Equal(t, ids[:4], s.ids(t, set))
}

func TestInstanceIDsAreNotShared(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 5})
	for range 5 {
		s.deleteInstances(t, set, s.ids(t, set)[:2]...)
		s.setCapacity(t, set, 5) // while the deleted ones are still listed
		all := s.ids(t, set)
		slices.Sort(all)
		assert.Len(t, slices.Compact(slices.Clone(all)), len(all))
		s.Advance(settled)
		require.Len(t, s.ids(t, set), 5)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{CoreQuota: 9})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2, Size: "Standard_D4s_v5"})
	etag := s.get(t, set).text("etag")
	r := s.setCapacity(t, set, 3)
	assert.Equal(t, http.StatusConflict, r.status)
	assert.Equal(t, "OperationNotAllowed", r.code())
	assert.Contains(t, r.message(), "exceeding approved Total Regional Cores quota")
	assert.Contains(t, r.message(), "Current Limit: 9, Current Usage: 8, Additional Required: 4")
	assert.Equal(t, 2, s.capacity(t, set))
	assert.Equal(t, etag, s.get(t, set).text("etag"))
	_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "other", Capacity: 1})
	assert.ErrorContains(t, err, "OperationNotAllowed")
	assert.Equal(t, http.StatusNotFound, s.get(t, s.ScaleSetPath("other")).status)
}
