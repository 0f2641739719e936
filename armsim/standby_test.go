package armsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// inPool is what the API says of each virtual machine; nil: nothing.
func (s *sim) inPool(t *testing.T, set string) map[string]any {
	t.Helper()
	said := map[string]any{}
	for _, m := range s.machines(t, set, "&$expand=instanceView") {
		said[get(m, "name").(string)] = get(m, "properties.instanceView.isVMInStandbyPool")
	}
	return said
}

func (s *sim) standby(t *testing.T, set string, running bool) string {
	t.Helper()
	name, err := s.AddStandbyVM(set, running)
	require.NoError(t, err)
	return name
}

// TestStandbyPool: its virtual machines are listed, count in no capacity, and
// are taken by the next higher one.
func TestStandbyPool(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, flexible(1))
	own := s.machineNames(t, set)[0]
	cold, warm := s.standby(t, "ci", false), s.standby(t, "CI", true)
	assert.Equal(t, "Creating ", s.state(t, cold))
	assert.Equal(t, "Succeeded", s.get(t, set).text("properties.provisioningState"))
	s.Advance(settled)
	assert.Equal(t, []string{"Succeeded deallocated", "Succeeded running"}, []string{s.state(t, cold), s.state(t, warm)})
	assert.Equal(t, map[string]any{own: nil, cold: true, warm: true}, s.inPool(t, set))
	assert.Equal(t, 1, s.capacity(t, set))

	late := s.standby(t, "ci", true)
	raised := s.setCapacity(t, set, 4)
	assert.Equal(t, map[string]any{cold: false, warm: false, late: true, own: nil}, only(s.inPool(t, set), cold, warm, late, own))
	assert.Equal(t, "Updating starting", s.state(t, cold))
	s.Advance(power - time.Second)
	assert.Equal(t, "InProgress ", s.outcome(t, raised))
	s.Advance(settled)
	assert.Equal(t, "Succeeded ", s.outcome(t, raised))
	assert.Equal(t, "Succeeded running", s.state(t, cold))
	assert.Len(t, s.Instances(), 5, "one is new, one was not ready")

	s.setCapacity(t, set, 0)
	s.Advance(settled)
	assert.Equal(t, map[string]any{late: true}, s.inPool(t, set), "a lower capacity is not the pool's")
	s.deleteInstances(t, set, late)
	s.Advance(settled)
	assert.Empty(t, s.Instances())
	assert.Equal(t, 0, s.capacity(t, set))
}

func only(all map[string]any, names ...string) map[string]any {
	some := map[string]any{}
	for _, name := range names {
		some[name] = all[name]
	}
	return some
}

// TestStandbyFailures: one that does not start fails the capacity's operation;
// the scale set's deletion takes the pool along.
func TestStandbyFailures(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Faults: []armsim.Fault{{Operation: "instance.start", Effect: armsim.Effect{Fail: stockOut}}}})
	set := s.scaleSet(t, flexible(0))
	cold := s.standby(t, "ci", false)
	s.standby(t, "ci", true)
	s.Advance(settled)
	raised := s.setCapacity(t, set, 1)
	s.Advance(settled)
	assert.Equal(t, "Failed AllocationFailed", s.outcome(t, raised))
	assert.Equal(t, "Succeeded deallocated", s.state(t, cold))
	require.Equal(t, http.StatusAccepted, s.send(t, "DELETE", set, nil).status)
	s.Advance(settled)
	assert.Empty(t, s.Instances())
	_, err := s.AddStandbyVM("ci", true)
	require.ErrorContains(t, err, `add standby virtual machine to scale set "ci": there is none`)
	s.scaleSet(t, armsim.ScaleSetSpec{Name: "uniform"})
	_, err = s.AddStandbyVM("uniform", true)
	assert.ErrorContains(t, err, "standby pools need Flexible")
}

func TestStandbyByControl(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	s.scaleSet(t, flexible(0))
	for target, want := range map[string]int{"ci/standby": 200, "ci/standby?power=running": 200, "ci/standby?power=on": 400, "ci/hug": 400, "none/standby": 400} {
		status, body := s.control(t, "POST", "/scale-sets/"+target, "")
		assert.Equal(t, want, status, "%v", body)
	}
	s.Advance(settled)
	assert.Len(t, s.Instances(), 2)
	assert.Equal(t, 1, s.Stats().Running)
	for _, i := range s.Instances() {
		assert.True(t, i.Standby)
	}
}
