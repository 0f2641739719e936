package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// cores is how many vCPUs of the region are in use.
func (s *sim) cores(t *testing.T) int {
	t.Helper()
	return int(usages(t, s, "westeurope")["cores"][0].(float64))
}

// TestWhateverSwitchesOnNeedsQuota, and not a vCPU more than it switches on.
func TestWhateverSwitchesOnNeedsQuota(t *testing.T) {
	t.Parallel()
	const refused = "approved Total Regional Cores quota"
	larger := object{"properties": object{"hardwareProfile": object{"vmSize": "Standard_D4s_v5"}}}
	// each finds a scale set with an instance that runs and one that is deallocated
	for name, c := range map[string]struct {
		spec func() armsim.ScaleSetSpec
		need int // vCPUs in use after it
		act  func(t *testing.T, s *sim, set string) reply
	}{
		"restart of the deallocated": {uniform, 4, func(t *testing.T, s *sim, set string) reply { return s.send(t, "POST", set+"/restart", nil) }},
		"a larger size of a virtual machine": {func() armsim.ScaleSetSpec { return flexible(2) }, 4, func(t *testing.T, s *sim, set string) reply {
			return s.send(t, "PATCH", s.runningMachine(t), larger)
		}},
		"a virtual machine": {uniform, 4, func(t *testing.T, s *sim, set string) reply {
			return s.send(t, "PUT", s.machinesPath()+"/own", looseMachine("Standard_D2s_v5", nil))
		}},
		"an upgrade to a larger size": {uniform, 4, func(t *testing.T, s *sim, set string) reply {
			require.Equal(t, http.StatusOK, s.send(t, "PATCH", set, newSize).status)
			s.Advance(settled)
			return s.send(t, "POST", set+"/manualupgrade", object{"instanceIds": []string{"*"}})
		}},
		"an upgrade of itself": {automatic, 4, func(t *testing.T, s *sim, set string) reply { return s.send(t, "PATCH", set, newSize) }},
	} {
		for _, room := range []bool{true, false} {
			t.Run(name+map[bool]string{true: ", allowed", false: ", refused"}[room], func(t *testing.T) {
				t.Parallel()
				s := virtual(t, armsim.Config{PageSize: 50, Polite: true})
				set := s.scaleSet(t, c.spec())
				require.NoError(t, s.Deallocate(s.Instances()[0].VMID))
				s.Advance(settled)
				require.Equal(t, 2, s.cores(t))
				s.SetCoreQuota(c.need)
				if !room {
					s.SetCoreQuota(c.need - 1)
				}
				r := c.act(t, s, set)
				s.Advance(settled)
				if room {
					require.Less(t, r.status, http.StatusBadRequest, r.raw)
					assert.Equal(t, c.need, s.cores(t))
					return
				}
				assert.Contains(t, s.whyNot(t, r), refused)
				assert.Equal(t, 2, s.cores(t))
			})
		}
	}
}

func uniform() armsim.ScaleSetSpec { return armsim.ScaleSetSpec{Name: "ci", Capacity: 2} }

func automatic() armsim.ScaleSetSpec {
	spec := uniform()
	spec.Change = upgradePolicy(object{"mode": "Automatic"})
	return spec
}

// whyNot is what a response, or else the scale set's upgrade, failed with.
func (s *sim) whyNot(t *testing.T, r reply) string {
	t.Helper()
	if r.status >= http.StatusBadRequest {
		return r.message()
	}
	if why := s.operation(t, r).text("error.message"); why != "" {
		return why
	}
	if s.get(t, s.ScaleSetPath("ci")).text("properties.provisioningState") == "Failed" {
		return "approved Total Regional Cores quota" // the upgrade is an operation that no response names
	}
	return ""
}

// runningMachine is the path of a virtual machine that runs.
func (s *sim) runningMachine(t *testing.T) string {
	t.Helper()
	for _, i := range s.Instances() {
		if i.PowerState == "running" {
			return s.machinesPath() + "/" + i.Name
		}
	}
	require.Fail(t, "none runs")
	return ""
}

// TestResizedMachines are of their new size for the quota as well.
func TestResizedMachines(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{PageSize: 50})
	s.scaleSet(t, flexible(1))
	vm := s.runningMachine(t)
	for _, c := range []struct {
		size  string
		cores int
	}{{"Standard_D4s_v5", 4}, {"Standard_D2s_v5", 2}} {
		r := s.send(t, "PATCH", vm, object{"properties": object{"hardwareProfile": object{"vmSize": c.size}}})
		require.Equal(t, http.StatusOK, r.status, r.raw)
		assert.Equal(t, c.size, r.text("properties.hardwareProfile.vmSize"))
		assert.Equal(t, c.size, s.Instances()[0].Size)
		assert.Equal(t, c.cores, s.cores(t))
	}
}

// TestAnUpgradeLeavesOutWhatDoesNotRun: it would switch that on.
func TestAnUpgradeLeavesOutWhatDoesNotRun(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{PageSize: 50})
	set := s.scaleSet(t, uniform())
	require.NoError(t, s.Deallocate("ci_"+s.ids(t, set)[0]))
	s.send(t, "PATCH", set, newSize)
	s.Advance(settled)
	r := s.send(t, "POST", set+"/manualupgrade", object{"instanceIds": []string{"*"}})
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.status(t, r))
	sizes, latest := s.sizes(t, set)
	assert.Equal(t, map[string]int{"Standard_D2s_v5": 1, "Standard_D4s_v5": 1}, sizes)
	assert.Equal(t, 1, latest)
	assert.Equal(t, 4, s.cores(t))
}

// TestPoolsKeepWithinTheQuota, and fill when there is more of it.
func TestPoolsKeepWithinTheQuota(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{CoreQuota: 5, PageSize: 50})
	set := s.scaleSet(t, flexible(1))
	r := s.send(t, "PUT", s.poolPath("warm")+poolVersion, poolOf(set, "Running", 3, 3))
	require.Equal(t, http.StatusOK, r.status, r.raw)
	s.Advance(settled)
	assert.Equal(t, map[string]int{"Running": 1}, s.poolCounts(t, "warm"))
	_, err := s.AddStandbyVM("ci", true)
	require.ErrorContains(t, err, "approved Total Regional Cores quota")
	s.SetCoreQuota(8)
	s.Advance(settled)
	assert.Equal(t, map[string]int{"Running": 3}, s.poolCounts(t, "warm"))
	assert.Equal(t, 8, s.cores(t))
}
