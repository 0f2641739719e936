package armsim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// diskOf is the ID of an instance's OS disk.
func (s *sim) diskOf(t *testing.T, path string) string {
	t.Helper()
	id := s.get(t, path).text("properties.storageProfile.osDisk.managedDisk.id")
	require.NotEmpty(t, id)
	return strings.ToLower(id)
}

func TestReimaging(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode, path string // below the scale set, or the first instance
		body       any
		reimaged   int // of three
	}{
		"whole set":               {"Uniform", "SET/reimage", nil, 3},
		"all disks":               {"Uniform", "SET/reimageall", object{}, 3},
		"some":                    {"Uniform", "SET/reimage", object{"instanceIds": []any{"0", "2"}}, 2},
		"one":                     {"Uniform", "VM/reimage", object{"tempDisk": true}, 1},
		"one, all disks":          {"Uniform", "VM/reimageall", nil, 1},
		"whole Flexible set":      {"Flexible", "SET/reimage", object{"instanceIds": []any{"*"}}, 3},
		"one of the Flexible set": {"Flexible", "VM/reimage", nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{Polite: true})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: c.mode, Capacity: 3})
			paths, disks := s.paths(set), map[string]string{}
			for _, path := range paths {
				disks[path] = s.diskOf(t, path)
			}
			ids := s.Instances()
			r := s.send(t, "POST", strings.NewReplacer("SET", set, "VM", paths[0]).Replace(c.path), c.body)
			require.Equal(t, http.StatusAccepted, r.status, r.raw)
			assert.Equal(t, "Updating", s.get(t, paths[0]).text("properties.provisioningState"))
			s.Advance(power - 1)
			assert.Equal(t, "InProgress", s.status(t, r))
			s.Advance(1)
			assert.Equal(t, "Succeeded", s.status(t, r))
			changed := 0
			for _, path := range paths {
				if s.diskOf(t, path) != disks[path] {
					changed++
				}
			}
			assert.Equal(t, c.reimaged, changed)
			assert.Equal(t, 3, s.Stats().Running)
			assert.ElementsMatch(t, vmIDs(ids), vmIDs(s.Instances()), "they are the same virtual machines")
			assert.Equal(t, "Succeeded", s.get(t, set).text("properties.provisioningState"))
		})
	}
}

func vmIDs(all []armsim.InstanceInfo) (ids []string) {
	for _, i := range all {
		ids = append(ids, i.VMID)
	}
	return ids
}

// TestReimagingTakesTheModel that the instance was upgraded to, with its keys and the newest
// version of its image; an upgrade alone leaves the disk.
func TestReimagingTakesTheModel(t *testing.T) {
	t.Parallel()
	for upgraded, want := range map[bool]string{false: firstKey, true: secondKey} {
		s := virtual(t, armsim.Config{Polite: true})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", PublicKey: firstKey, Capacity: 1})
		one := s.paths(set)[0]
		keys := func() any {
			return get(s.get(t, one).body, "properties.osProfile.linuxConfiguration.ssh.publicKeys.0.keyData")
		}
		require.Equal(t, http.StatusOK, s.send(t, "PATCH", set, withKeys(secondKey)).status)
		s.Advance(settled)
		if upgraded {
			require.Equal(t, http.StatusAccepted, s.send(t, "POST", set+"/manualupgrade", object{"instanceIds": []any{"*"}}).status)
			s.Advance(settled)
		}
		require.Equal(t, http.StatusAccepted, s.send(t, "POST", one+"/reimage", nil).status)
		s.Advance(settled)
		assert.Equal(t, want, keys())
		assert.Equal(t, []string{want}, s.Instances()[0].PublicKeys)
	}
}

// TestReimagingLeavesDataDisks, but for a reimaging of all disks.
func TestReimagingLeavesDataDisks(t *testing.T) {
	t.Parallel()
	for action, kept := range map[string]bool{"reimage": true, "reimageall": false} {
		s := virtual(t, armsim.Config{Polite: true})
		empty := func(lun int) object { return object{"lun": lun, "createOption": "Empty", "diskSizeGB": 8} }
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2, Change: func(m object) {
			profileOf(m)["storageProfile"].(object)["dataDisks"] = []any{empty(0)}
		}})
		paths := s.paths(set)
		require.Equal(t, http.StatusOK, s.send(t, "PUT", paths[0], object{"properties": object{"storageProfile": object{"dataDisks": []any{empty(0), empty(1)}}}}).status)
		s.Advance(settled)
		for n, path := range paths {
			before := get(s.get(t, path).body, "properties.storageProfile.dataDisks").([]any)
			require.Len(t, before, 2-n)
			require.Equal(t, http.StatusAccepted, s.send(t, "POST", path+"/"+action, nil).status)
			s.Advance(settled)
			after := get(s.get(t, path).body, "properties.storageProfile.dataDisks").([]any)
			require.Len(t, after, 2-n)
			assert.Equal(t, kept, get(before[0], "name") == get(after[0], "name"), action)
		}
	}
}

func TestReimagingOfWhatIsOff(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		for _, action := range []string{"powerOff", "deallocate"} {
			s := virtual(t, armsim.Config{})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1})
			one := s.paths(set)[0]
			s.send(t, "POST", one+"/"+action, nil)
			s.Advance(settled)
			before := s.Instances()[0].PowerState
			r := s.send(t, "POST", one+"/reimage", nil)
			s.Advance(settled)
			assert.Equal(t, "Succeeded", s.status(t, r))
			assert.Equal(t, before, s.Instances()[0].PowerState)
			s.send(t, "POST", one+"/start", nil)
			s.Advance(settled)
			assert.Equal(t, "running", s.Instances()[0].PowerState)
		}
	}
}

func TestReimagingRefused(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	first := s.paths(set)[0]
	require.Equal(t, http.StatusOK, s.send(t, "PUT", first, protect(true, true)).status)
	s.Advance(settled)
	protected := s.diskOf(t, first)
	s.send(t, "POST", set+"/reimage", nil)
	s.Advance(settled)
	assert.Equal(t, protected, s.diskOf(t, first), "a protected one, which is not named")
	s.send(t, "POST", set+"/reimage", object{"instanceIds": []any{"0"}})
	s.Advance(settled)
	assert.NotEqual(t, protected, s.diskOf(t, first))

	assert.Equal(t, http.StatusBadRequest, s.send(t, "POST", set+"/reimage", object{"instanceIds": []any{"17"}}).status)
	assert.Equal(t, http.StatusNotFound, s.send(t, "POST", set+"/virtualMachines/17/reimage", nil).status)
	s.deleteInstances(t, set, "0")
	r := s.send(t, "POST", first+"/reimage", nil)
	assert.Equal(t, []any{http.StatusConflict, "OperationNotAllowed"}, []any{r.status, r.code()})
	assert.Equal(t, http.StatusNotImplemented, s.send(t, "POST", s.paths(set)[1]+"/reimage", object{"osProfile": object{}}).status)
}

// TestLimitsOfReimaging: Microsoft's page has no limit on the scale set for that of a
// scale set's instances.
func TestLimitsOfReimaging(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Throttle: true, Polite: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 4})
	s.Advance(time.Hour)
	r := s.send(t, "POST", set+"/reimage", nil)
	assert.Equal(t, "VMScaleSetActionsSubscriptionMaximum;1499,VMScaleSetBatchedVMRequestsSubscriptionMaximum;5996,VmssQueuedVMOperations;0", r.remaining())
	assert.Equal(t, "4", r.header.Get("x-ms-request-charge"))
	r = s.send(t, "POST", set+"/virtualMachines/1/reimage", nil)
	assert.Contains(t, r.remaining(), "VMScaleSetVMActionsSubscriptionMaximum;1999,VMScaleSetVMActionsResource;11,")
}

// TestMachinesOfReimagedInstances have an empty disk and the keys of the model that they
// were upgraded to.
func TestMachinesOfReimagedInstances(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := newSite(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1})
		i := s.running(t)[0]
		s.run(t, i.PrivateAddress, "echo old > file")
		wait := s.job(t, i.PrivateAddress)
		r := s.send(t, "POST", s.set+"/reimage", nil)
		require.Equal(t, http.StatusAccepted, r.status, r.raw)
		assert.Error(t, wait())
		require.Eventually(t, func() bool { return s.status(t, r) == "Succeeded" }, patience, 5*time.Millisecond)
		assert.Equal(t, "tmp\n", s.run(t, i.PrivateAddress, "ls"))
		assert.Equal(t, i.VMID, s.Instances()[0].VMID)
	}
}
