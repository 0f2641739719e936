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

// suspended are instances of a set, and how a client asks for a power action on some.
type suspended struct {
	*sim
	set   string
	paths []string
	ids   []string
}

func (s *sim) suspendable(t *testing.T, mode string, capacity int, change func(model object)) *suspended {
	t.Helper()
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: capacity, PublicAddress: true, Change: change})
	u := &suspended{sim: s, set: set}
	for _, i := range sortedInstances(s) {
		path := s.machinesPath() + "/" + i.Name
		if mode == "Uniform" {
			path = set + "/virtualMachines/" + i.InstanceID
		}
		u.paths, u.ids = append(u.paths, path), append(u.ids, i.InstanceID)
	}
	return u
}

func (u *suspended) view(t *testing.T, n int) object {
	t.Helper()
	body := u.get(t, u.paths[n]+"?api-version="+version+"&$expand=instanceView").body
	view, ok := get(body, "properties.instanceView").(object)
	require.True(t, ok)
	return view
}

// codes are those of the statuses in lower case, in order.
func codes(view object) []string {
	var all []string
	for _, status := range view["statuses"].([]any) {
		all = append(all, strings.ToLower(get(status, "code").(string)))
	}
	slices.Sort(all)
	return all
}

func (s *sim) batch(t *testing.T, set, action string, body any) reply {
	t.Helper()
	r := s.send(t, "POST", set+"/"+action, body)
	require.Equal(t, http.StatusAccepted, r.status, r.raw)
	require.NotEmpty(t, r.header.Get("Location"))
	s.Advance(settled)
	return r
}

// powers are the power states of all instances, in the order of suspendable.
func (u *suspended) powers() []string {
	var all []string
	for _, i := range sortedInstances(u.sim) {
		all = append(all, i.PowerState)
	}
	return all
}

func TestSuspendBatches(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{})
		u := s.suspendable(t, mode, 3, nil)
		s.batch(t, u.set, "deallocate", object{"instanceIds": u.ids[1:]})
		assert.Equal(t, []string{"running", "deallocated", "deallocated"}, u.powers(), mode)
		assert.Equal(t, 3, s.capacity(t, u.set))
		s.batch(t, u.set, "start", object{"instanceIds": []string{"*"}})
		assert.Equal(t, []string{"running", "running", "running"}, u.powers(), mode)
		s.batch(t, u.set, "deallocate", `{}`)
		assert.Equal(t, []string{"deallocated", "deallocated", "deallocated"}, u.powers(), mode)
		assert.Equal(t, "Succeeded", s.get(t, u.set).text("properties.provisioningState"))
		s.batch(t, u.set, "poweroff", nil)
		assert.Equal(t, []string{"deallocated", "deallocated", "deallocated"}, u.powers(), "a stop changes nothing")
		r := s.send(t, "POST", u.set+"/start", object{"instanceIds": []string{u.ids[0], "77"}})
		assert.Equal(t, "InvalidParameter", r.code())
		r = s.send(t, "POST", u.paths[0]+"/start", nil)
		require.Equal(t, http.StatusAccepted, r.status)
		s.Advance(settled)
		assert.Equal(t, []string{"running", "deallocated", "deallocated"}, u.powers(), mode)
		assert.Equal(t, 1, s.Stats().Running)
	}
}

// TestAllInstancesByStar: "*" may stand for an instance ID in the path, too.
func TestAllInstancesByStar(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	u := s.suspendable(t, "Uniform", 2, nil)
	r := s.batch(t, u.set, "virtualMachines/%2A/deallocate", nil)
	assert.Equal(t, []string{"deallocated", "deallocated"}, u.powers())
	assert.Equal(t, "2", r.header.Get("x-ms-request-charge"))
	assert.Contains(t, r.header.Get("x-ms-ratelimit-remaining-resource"), "DeleteVMScaleSetVMResource;11")
	assert.Equal(t, http.StatusBadRequest, s.send(t, "DELETE", u.set+"/virtualMachines/%2A", nil).status)
}

// TestSuspendedView: what Azure says of an instance while it is deallocated, and after.
func TestSuspendedView(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{Polite: true})
		u := s.suspendable(t, mode, 1, nil)
		before := u.view(t, 0)
		s.Advance(time.Hour)
		s.batch(t, u.set, "poweroff", nil)
		stopped := u.view(t, 0)
		assert.Equal(t, before["vmAgent"], stopped["vmAgent"], "the old report stands")
		assert.Equal(t, before["disks"], stopped["disks"])
		assert.NotEqual(t, get(before, "statuses.0.time"), get(stopped, "statuses.0.time"), "it is that of the last action")

		s.batch(t, u.set, "deallocate", nil)
		off := u.view(t, 0)
		assert.Equal(t, []string{"powerstate/deallocated", "provisioningstate/succeeded"}, codes(off))
		for _, key := range []string{"vmAgent", "computerName", "osName", "osVersion"} {
			assert.NotContains(t, off, key, mode)
			assert.Contains(t, stopped, key, mode)
		}
		assert.Equal(t, get(off, "statuses.0.time"), get(off, "disks.0.statuses.0.time"))
		disk := get(s.get(t, u.paths[0]).body, "properties.storageProfile.osDisk").(object)
		assert.NotContains(t, disk, "diskSizeGB")
		assert.Nil(t, get(disk, "managedDisk.storageAccountType"))
		assert.NotNil(t, get(disk, "managedDisk.id"))

		r := s.send(t, "POST", u.set+"/start", nil)
		s.Advance(power)
		require.Equal(t, "Succeeded", s.status(t, r))
		on := u.view(t, 0)
		assert.Equal(t, before["vmAgent"], on["vmAgent"], "Ready, from before the stop")
		s.Advance(settled)
		assert.NotEqual(t, before["vmAgent"], u.view(t, 0)["vmAgent"])
		assert.NotNil(t, get(s.get(t, u.paths[0]).body, "properties.storageProfile.osDisk.diskSizeGB"))
	}
}

// TestSuspendedAddresses: the private address stays, the dynamic public one does not.
func TestSuspendedAddresses(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{})
		u := s.suspendable(t, mode, 1, nil)
		before := s.Instances()[0]
		s.batch(t, u.set, "poweroff", nil)
		assert.Equal(t, before.PublicAddress, s.Instances()[0].PublicAddress)
		s.batch(t, u.set, "deallocate", nil)
		assert.Equal(t, before.PrivateAddress, s.Instances()[0].PrivateAddress)
		assert.Empty(t, s.Instances()[0].PublicAddress)
		assert.Equal(t, 1, s.Stats().Addresses)
		public := s.publicAddresses(t, u.set, mode)
		require.Len(t, public, 1, "the resource stays")
		assert.Nil(t, get(public[0], "properties.ipAddress"))
		s.batch(t, u.set, "start", nil)
		after := s.Instances()[0]
		assert.Equal(t, before.PrivateAddress, after.PrivateAddress)
		assert.NotEqual(t, before.PublicAddress, after.PublicAddress)
		assert.Equal(t, after.PublicAddress, get(s.publicAddresses(t, u.set, mode)[0], "properties.ipAddress"))
		s.send(t, "DELETE", u.set, nil)
		s.Advance(settled)
		assert.Zero(t, s.Stats().Addresses)
	}
}

func (s *sim) publicAddresses(t *testing.T, set, mode string) []any {
	t.Helper()
	if mode == "Uniform" {
		return s.list(t, set+"/publicIPAddresses?api-version=2018-10-01")
	}
	return s.list(t, s.networkPath("publicIPAddresses"))
}

// TestStaticAddressesStay: those of the SKU Standard.
func TestStaticAddressesStay(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	u := s.suspendable(t, "Flexible", 1, func(model object) {
		config := get(model, "properties.virtualMachineProfile.networkProfile.networkInterfaceConfigurations.0.properties.ipConfigurations.0.properties.publicIPAddressConfiguration")
		config.(object)["sku"] = object{"name": "Standard"}
	})
	before := s.Instances()[0].PublicAddress
	s.batch(t, u.set, "deallocate", nil)
	assert.Equal(t, before, s.Instances()[0].PublicAddress)
	assert.Equal(t, "Static", get(s.publicAddresses(t, u.set, "Flexible")[0], "properties.publicIPAllocationMethod"))
}

func TestSuspensionFreesQuota(t *testing.T) {
	t.Parallel()
	for keeps, want := range map[bool]int{false: http.StatusOK, true: http.StatusConflict} {
		s := virtual(t, armsim.Config{CoreQuota: 4, Unknowns: armsim.Unknowns{DeallocatedKeepsQuota: keeps}})
		u := s.suspendable(t, "Uniform", 2, nil)
		s.batch(t, u.set, "deallocate", object{"instanceIds": u.ids[:1]})
		require.Equal(t, want, s.setCapacity(t, u.set, 3).status)
		s.Advance(settled)
		r := s.send(t, "POST", u.set+"/start", object{"instanceIds": u.ids[:1]})
		if keeps {
			assert.Equal(t, http.StatusAccepted, r.status)
			continue
		}
		assert.Equal(t, []any{http.StatusConflict, "OperationNotAllowed"}, []any{r.status, r.code()})
		assert.Contains(t, r.message(), "exceeding approved Total Regional Cores quota")
		s.SetCoreQuota(6)
		s.batch(t, u.set, "start", object{"instanceIds": u.ids[:1]})
		assert.Equal(t, 3, s.Stats().Running)
	}
}

// TestSuspensionTimes: each has its own, and that of stops where none is set.
func TestSuspensionTimes(t *testing.T) {
	t.Parallel()
	sec := func(n int) armsim.Duration { return armsim.Duration{Median: time.Duration(n) * time.Second} }
	s := virtual(t, armsim.Config{Boot: sec(9), Power: sec(4), Suspension: armsim.SuspensionTimes{
		Start: sec(20), Resume: sec(30), Deallocate: sec(10), Hibernate: sec(15),
	}})
	u := s.suspendable(t, "Flexible", 1, hibernating)
	for _, step := range []struct {
		action  string
		seconds int
	}{{"deallocate", 10}, {"start", 20}, {"powerOff", 4}, {"start", 4}, {"deallocate?hibernate=true&api-version=" + version, 15}, {"start", 30}, {"restart", 4}} {
		r := s.send(t, "POST", u.paths[0]+"/"+step.action, nil)
		require.Equal(t, http.StatusAccepted, r.status, r.raw)
		s.Advance(time.Duration(step.seconds)*time.Second - 1)
		assert.Equal(t, "InProgress", s.status(t, r), step.action)
		s.Advance(1)
		assert.Equal(t, "Succeeded", s.status(t, r), step.action)
		s.Advance(settled)
	}
}

// TestAllocatedTime: the virtual machine costs while it is allocated, the disk always.
func TestAllocatedTime(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	u := s.suspendable(t, "Uniform", 1, nil)
	s.batch(t, u.set, "deallocate", nil)
	at := s.Stats().AllocatedSeconds
	assert.InDelta(t, (settled + power).Seconds(), at, 0.1)
	s.Advance(time.Hour)
	assert.InDelta(t, at, s.Stats().AllocatedSeconds, 0.1)
	s.batch(t, u.set, "start", nil)
	s.deleteInstances(t, u.set, u.ids[0])
	s.Advance(settled)
	st := s.Stats()
	assert.InDelta(t, at+(settled+removal).Seconds(), st.AllocatedSeconds, 0.1)
	assert.Greater(t, st.InstanceSeconds, st.AllocatedSeconds+time.Hour.Seconds())
}

func TestFailedStartMayFailTheInstance(t *testing.T) {
	t.Parallel()
	for fails, want := range map[bool]string{false: "Succeeded deallocated", true: "Failed deallocated"} {
		s := virtual(t, armsim.Config{
			Unknowns: armsim.Unknowns{FailedStartFailsInstance: fails},
			Faults:   []armsim.Fault{{Operation: "instance.start", Times: 1, Effect: armsim.Effect{Fail: stockOut}}},
		})
		u := s.suspendable(t, "Uniform", 1, nil)
		s.batch(t, u.set, "deallocate", nil)
		assert.Equal(t, "Failed AllocationFailed", s.outcome(t, s.batch(t, u.set, "start", nil)))
		assert.Equal(t, want, s.state(t, s.Instances()[0].Name))
		assert.Equal(t, "Succeeded ", s.outcome(t, s.batch(t, u.set, "start", nil)))
		assert.Equal(t, "Succeeded running", s.state(t, s.Instances()[0].Name))
	}
}

// TestDeallocationsThatFail: one leaves the instance stopped; an eviction is none.
func TestDeallocationsThatFail(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Faults: []armsim.Fault{{Operation: "instance.deallocate", Times: 1, Effect: armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}}}}})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2, Priority: "Spot"})
	require.NoError(t, s.Evict("ci_"+s.ids(t, set)[0]))
	s.Advance(settled)
	assert.Equal(t, 1, s.count("Succeeded", "deallocated"))
	r := s.batch(t, set, "deallocate", nil)
	assert.Equal(t, "Failed InternalExecutionError", s.outcome(t, r))
	assert.Equal(t, []int{1, 1}, []int{s.count("Succeeded", "deallocated"), s.count("Succeeded", "stopped")})
	assert.Equal(t, "Succeeded ", s.outcome(t, s.batch(t, set, "deallocate", nil)))
	assert.Equal(t, 2, s.count("Succeeded", "deallocated"))
}
