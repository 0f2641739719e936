package armsim_test

import (
	"fmt"
	"net/http"
	"path"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestPowerActions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, action string
		during, after  seen
	}{
		"power off":        {"", "poweroff", seen{"Updating", "stopping", true}, seen{"Succeeded", "stopped", true}},
		"deallocate":       {"", "deallocate", seen{"Updating", "deallocating", true}, seen{"Succeeded", "deallocated", true}},
		"restart":          {"", "restart", seen{"Updating", "running", true}, seen{"Succeeded", "running", true}},
		"start":            {"deallocate", "start", seen{"Updating", "starting", true}, seen{"Succeeded", "running", true}},
		"start of running": {"", "start", seen{"Updating", "running", true}, seen{"Succeeded", "running", true}},
	} {
		for _, whole := range []bool{true, false} {
			t.Run(name+map[bool]string{true: ", set", false: ", instance"}[whole], func(t *testing.T) {
				t.Parallel()
				s := virtual(t, armsim.Config{})
				set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
				id := s.ids(t, set)[1]
				target := set
				if !whole {
					target += "/virtualMachines/" + id
				}
				if c.before != "" {
					s.send(t, "POST", target+"/"+c.before, nil)
					s.Advance(settled)
				}
				r := s.send(t, "POST", target+"/"+c.action, nil)
				require.Equal(t, http.StatusAccepted, r.status, r.raw)
				assert.Equal(t, c.during, s.seen(t, set, id))
				s.Advance(power - 1)
				assert.Equal(t, "InProgress", s.status(t, r))
				s.Advance(1)
				assert.Equal(t, c.after, s.seen(t, set, id))
				assert.Equal(t, "Succeeded", s.status(t, r))
				assert.Equal(t, 2, s.capacity(t, set))
			})
		}
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	id := s.ids(t, set)[0]
	require.NoError(t, s.Kill("ci_"+id))
	assert.Equal(t, seen{"Succeeded", "stopped", true}, s.seen(t, set, id))
	assert.Equal(t, 1, s.capacity(t, set))
	assert.Zero(t, s.Stats().Running)
	assert.ErrorContains(t, s.Kill("none"), `"none"`)
}

// TestKillOfWhatDoesNotRun is an error, and changes nothing.
func TestKillOfWhatDoesNotRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(t *testing.T, s *sim, set, id string)
		power  string
	}{
		"deallocated": {func(t *testing.T, s *sim, set, id string) {
			s.send(t, "POST", set+"/deallocate", nil)
			s.Advance(settled)
		}, "deallocated"},
		"deallocating": {func(t *testing.T, s *sim, set, id string) { s.send(t, "POST", set+"/deallocate", nil) }, "deallocating"},
		"stopped": {func(t *testing.T, s *sim, set, id string) {
			s.send(t, "POST", set+"/poweroff", nil)
			s.Advance(settled)
		}, "stopped"},
		"failed": {func(t *testing.T, s *sim, set, id string) {
			s.add(t, armsim.Fault{Operation: "instance.create", Effect: armsim.Effect{Fail: stockOut}})
			s.deleteInstances(t, set, id)
			s.setCapacity(t, set, 1)
			s.Advance(settled)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
			c.before(t, s, set, s.ids(t, set)[0])
			all := s.Instances()
			require.Len(t, all, 1)
			require.Equal(t, c.power, all[0].PowerState)
			assert.ErrorContains(t, s.Kill(all[0].VMID), "it has no virtual machine that runs")
			assert.Equal(t, all, s.Instances())
		})
	}
}

// TestInterruptedOperationsEnd: whatever cuts in on whatever, all operations
// end, and the scale set comes to rest.
func TestInterruptedOperationsEnd(t *testing.T) {
	t.Parallel()
	type act func(t *testing.T, s *sim, set, id string) reply
	post := func(action string) act {
		return func(t *testing.T, s *sim, set, _ string) reply { return s.send(t, "POST", set+"/"+action, nil) }
	}
	acts := map[string]act{
		"power off": post("poweroff"), "deallocate": post("deallocate"), "start": post("start"), "restart": post("restart"), "reimage": post("reimage"),
		"grow":   func(t *testing.T, s *sim, set, _ string) reply { return s.setCapacity(t, set, 3) },
		"shrink": func(t *testing.T, s *sim, set, _ string) reply { return s.setCapacity(t, set, 0) },
		"delete": func(t *testing.T, s *sim, set, id string) reply { return s.deleteInstances(t, set, id) },
		"write": func(t *testing.T, s *sim, set, id string) reply {
			return s.send(t, "PUT", set+"/virtualMachines/"+id, `{}`)
		},
		"kill": func(t *testing.T, s *sim, set, id string) reply {
			_ = s.Kill(path.Base(set) + "_" + id) // an error where it does not run
			return reply{}
		},
		"drop": func(t *testing.T, s *sim, set, _ string) reply { return s.send(t, "DELETE", set, nil) },
	}
	s := virtual(t, armsim.Config{InProcess: true})
	for one, first := range acts {
		for other, second := range acts {
			t.Run(one+" then "+other, func(t *testing.T) {
				set := s.scaleSet(t, armsim.ScaleSetSpec{Name: fmt.Sprintf("s%d", s.Stats().Created), Capacity: 2})
				id := s.ids(t, set)[0]
				replies := []reply{first(t, s, set, id), second(t, s, set, id)}
				s.Advance(settled)
				s.checkRest(t, set, replies)
				s.send(t, "DELETE", set, nil)
				s.Advance(settled)
				assert.Zero(t, s.Stats().Addresses)
			})
		}
	}
}

// checkRest demands that nothing is under way any longer.
func (s *sim) checkRest(t tb, set string, replies []reply) {
	t.Helper()
	for _, r := range replies {
		if r.header.Get("Azure-AsyncOperation") != "" {
			assert.NotEqual(t, "InProgress", s.status(t, r))
		}
	}
	found := s.get(t, set)
	if found.status == http.StatusNotFound {
		return
	}
	assert.Equal(t, "Succeeded", found.text("properties.provisioningState"))
	live := s.list(t, set+"/virtualMachines")
	if found.text("properties.orchestrationMode") == "Flexible" {
		live = s.machines(t, set) // which may be fewer than the capacity
	} else {
		assert.Len(t, live, s.capacity(t, set))
	}
	for _, i := range live {
		assert.Equal(t, "Succeeded", get(i, "properties.provisioningState"))
	}
	assert.Equal(t, len(live), s.Stats().Addresses)
}
