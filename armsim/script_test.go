package armsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func shellScript(lines ...any) object {
	return object{"commandId": "RunShellScript", "script": lines}
}

// message is what a run command's operation says, and its result at the Location.
func (s *sim) message(t *testing.T, r reply) string {
	t.Helper()
	status := s.operation(t, r)
	require.Equal(t, "Succeeded", status.text("status"), status.raw)
	result := s.get(t, r.header.Get("Location"))
	require.Equal(t, http.StatusOK, result.status)
	assert.Equal(t, get(status.body, "properties.output"), any(result.body), "in both places")
	assert.Equal(t, "ProvisioningState/succeeded", result.text("value.0.code"))
	assert.Equal(t, "Info", result.text("value.0.level"))
	assert.Equal(t, "Provisioning succeeded", result.text("value.0.displayStatus"))
	return result.text("value.0.message")
}

func TestRunCommand(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := newSite(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 2})
		i := s.running(t)[1]
		one := s.paths(s.set)[1]
		run := func(body object) string {
			r := s.send(t, "POST", one+"/runCommand", body)
			require.Equal(t, http.StatusAccepted, r.status, r.raw)
			require.Eventually(t, func() bool { return s.status(t, r) != "InProgress" }, patience, 5*time.Millisecond)
			return s.message(t, r)
		}
		assert.Equal(t, "Enable succeeded: \n[stdout]\n"+i.Name+"\n\n[stderr]\nerr\n", run(shellScript("echo $ARMSIM_INSTANCE", "echo err >&2")))
		assert.Equal(t, "Enable succeeded: \n[stdout]\n\n[stderr]\n", run(shellScript("exit 123")), "azure-cli#14425")
		with := shellScript(`echo "$1 $name"`)
		with["parameters"] = []any{object{"name": "name", "value": "two words"}}
		assert.Equal(t, "Enable succeeded: \n[stdout]\ntwo words two words\n\n[stderr]\n", run(with))
		run(shellScript("echo made > file"))
		assert.Equal(t, "made\n", s.run(t, i.PrivateAddress, "cat file"))
	}
}

// TestSpecializedImagesNeedNoUser: they have their own.
func TestSpecializedImagesNeedNoUser(t *testing.T) {
	t.Parallel()
	image := armsim.SharedImage{Gallery: "G", Name: "runner", Versions: []string{"1.0.0"}, State: "Specialized"}
	s := newSiteOf(t, armsim.Config{Catalog: armsim.CatalogChanges{SharedImages: []armsim.SharedImage{image}}}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1, Change: func(m object) {
		setImage(object{"sharedGalleryImageId": "/SharedGalleries/G/Images/runner"})(m)
		delete(profileOf(m), "osProfile")
	}})
	i := s.running(t)[0]
	assert.Equal(t, "Succeeded", i.ProvisioningState)
	ended := s.ended(t, s.send(t, "POST", s.set+"/virtualMachines/"+i.InstanceID+"/runCommand", shellScript("echo up")))
	assert.Contains(t, get(ended.body, "properties.output.value.0.message"), "up")
}

// TestRunCommandOnWhatGoesOff: the operation fails, and the script is gone.
func TestRunCommandOnWhatGoesOff(t *testing.T) {
	t.Parallel()
	s := newSite(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	i := s.running(t)[0]
	r := s.send(t, "POST", s.set+"/virtualMachines/"+i.InstanceID+"/runCommand", shellScript("echo up > ready; sleep 1000"))
	s.run(t, i.PrivateAddress, "until grep -qs up ready; do sleep 0.01; done")
	require.NoError(t, s.Kill(i.Name))
	require.Eventually(t, func() bool { return s.status(t, r) == "Failed" }, patience, 5*time.Millisecond)
	assert.Equal(t, "VMAgentStatusCommunicationError", s.operation(t, r).text("error.code"))
}

// TestRunCommandTakesTooLong: after 90 minutes it is ended, and the next one runs.
func TestRunCommandTakesTooLong(t *testing.T) {
	t.Parallel()
	c := armsim.Config{TimeScale: 20_000, TokenLifetime: 100_000 * time.Hour}
	s := newSiteOf(t, c, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	i := s.running(t)[0]
	run := s.set + "/virtualMachines/" + i.InstanceID + "/runCommand"
	ended := s.ended(t, s.send(t, "POST", run, shellScript("sleep 1000")))
	assert.Equal(t, "VMExtensionProvisioningTimeout", ended.text("error.code"), ended.raw)
	assert.Equal(t, http.StatusAccepted, s.send(t, "POST", run, shellScript("true")).status)
}

func TestRunCommandRefused(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{Polite: true, Throttle: true})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1})
		s.Advance(time.Hour)
		one := s.paths(set)[0]
		r := s.send(t, "POST", one+"/runCommand", shellScript("echo secret"))
		require.Equal(t, http.StatusAccepted, r.status, r.raw)
		want := "UpdateVMSubscriptionMaximum;1499,UpdateVMResource;11"
		if mode == "Uniform" {
			want = "VMScaleSetVMActionsSubscriptionMaximum;1999,VMScaleSetVMActionsResource;11,VMScaleSetBatchedVMRequestsSubscriptionMaximum;5999,VmssQueuedVMOperations;0"
		}
		assert.Equal(t, want, r.remaining())
		journal := s.Journal()
		assert.NotContains(t, jsonOf(t, journal[len(journal)-1].Body), "secret")
		assert.Equal(t, http.StatusAccepted, s.get(t, r.header.Get("Location")).status)
		second := s.send(t, "POST", one+"/runCommand", shellScript("true"))
		assert.Equal(t, []any{http.StatusConflict, "Conflict"}, []any{second.status, second.code()})
		s.Advance(settled)
		assert.Equal(t, "Enable succeeded: \n[stdout]\n\n[stderr]\n", s.message(t, r), "without machines")

		assert.Equal(t, http.StatusBadRequest, s.send(t, "POST", one+"/runCommand", object{}).status)
		assert.Equal(t, http.StatusNotImplemented, s.send(t, "POST", one+"/runCommand", object{"commandId": "ifconfig"}).status)
		s.send(t, "POST", one+"/deallocate", nil)
		s.Advance(settled)
		off := s.send(t, "POST", one+"/runCommand", shellScript("true"))
		assert.Equal(t, []any{http.StatusConflict, "OperationNotAllowed"}, []any{off.status, off.code()})
	}
}
