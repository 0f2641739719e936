package armsim_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const graphed = "&useResourceGraph=true"

// instanceList is where the instances of a scale set are listed.
func instanceList(set, mode string) string {
	if mode == "Uniform" {
		return set + "/virtualMachines?api-version=" + version + "&$expand=instanceView"
	}
	return "/subscriptions/" + armsim.DefaultSubscriptionID + "/resourceGroups/ci/providers/Microsoft.Compute/virtualMachines?api-version=" + version + "&$expand=instanceView&$filter=" +
		url.QueryEscape("'virtualMachineScaleSet/id' eq '"+set+"'")
}

// TestGraphIsBehind: what Resource Graph shows was so some seconds ago, on all pages, and
// it draws from Resource Manager's limits but not from Compute's.
func TestGraphIsBehind(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"Uniform", "Flexible"} {
		s := virtual(t, armsim.Config{ResourceGraph: true, Polite: true, PageSize: 2})
		set, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 5})
		require.NoError(t, err)
		list := instanceList(set, mode)
		assert.Empty(t, s.list(t, list+graphed), "there were none")
		s.Advance(6 * time.Second)
		all := s.list(t, list+graphed)
		require.Len(t, all, 5)
		assert.Equal(t, "Creating", get(all[0], "properties.provisioningState"))
		s.Advance(boot - 6*time.Second)
		assert.Equal(t, "Succeeded", get(s.list(t, list)[0], "properties.provisioningState"))
		assert.Equal(t, "Creating", get(s.list(t, list+graphed)[0], "properties.provisioningState"))
		s.Advance(6 * time.Second)
		assert.Equal(t, "Succeeded", get(s.list(t, list+graphed)[4], "properties.provisioningState"))

		r := s.get(t, list+graphed)
		assert.Contains(t, r.text("nextLink"), "useResourceGraph=true")
		assert.Empty(t, r.remaining())
		assert.NotEmpty(t, r.header.Get("x-ms-ratelimit-remaining-subscription-reads"))
		assert.Equal(t, fmt.Sprint(4000-1-3*3-1), r.header.Get("x-ms-user-quota-remaining"))
		assert.Equal(t, "00:00:45", r.header.Get("x-ms-user-quota-resets-after"))

		one := s.Instances()[0]
		require.Equal(t, http.StatusAccepted, s.deleteInstances(t, set, one.InstanceID).status)
		s.Advance(removal)
		assert.Len(t, s.list(t, list), 4)
		assert.Len(t, s.list(t, list+graphed), 5, "one that is gone")
		s.Advance(time.Minute)
		assert.Len(t, s.list(t, list+graphed), 4)
	}
}

// TestGraphIsBehindWithWhatClientsWrite, too.
func TestGraphIsBehindWithWhatClientsWrite(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{ResourceGraph: true, Polite: true, Unknowns: armsim.Unknowns{InstanceTagsKept: true}})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1, Change: func(m map[string]any) { m["tags"] = object{"a": "b"} }})
	list := instanceList(set, "Uniform")
	one := set + "/virtualMachines/" + s.ids(t, set)[0]
	old := s.list(t, list+graphed)
	for name, change := range map[string]func(){
		"tag of the set": func() { require.NoError(t, s.Tag("ci", "c", "d")) },
		"protection": func() {
			s.send(t, "PUT", one, object{"properties": object{"protectionPolicy": object{"protectFromScaleIn": true}}})
		},
		"tags": func() { s.send(t, "PUT", one, object{"tags": object{"own": "tag"}}) },
		"disks": func() {
			s.send(t, "PUT", one, object{"properties": object{"storageProfile": object{"dataDisks": []any{object{"lun": 1, "createOption": "Empty", "diskSizeGB": 8}}}}})
		},
		"property": func() { s.send(t, "PUT", one, object{"properties": object{"licenseType": "None"}}) },
	} {
		change()
		was, is := s.list(t, list+graphed), s.list(t, list)
		for _, path := range []string{"tags", "properties.protectionPolicy", "properties.storageProfile", "properties.licenseType", "properties.modelDefinitionApplied"} {
			assert.Equal(t, get(old[0], path), get(was[0], path), "%s: %s", name, path)
		}
		assert.NotEqual(t, old, is, name)
		s.Advance(settled)
		old = s.list(t, list+graphed)
		assert.Equal(t, is[0].(object)["tags"], get(old[0], "tags"), name)
	}
}

// TestGraphIsNotGiven: without it the provider answers, and charges for it.
func TestGraphIsNotGiven(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"Uniform", "Flexible"} {
		s := virtual(t, armsim.Config{Polite: true})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1})
		r := s.get(t, instanceList(set, mode)+graphed)
		assert.Len(t, r.values(), 1)
		assert.Empty(t, r.header.Get("x-ms-user-quota-remaining"))
		assert.Contains(t, r.remaining(), "HighCostGet")
	}
}

// TestGraphAnswersListsOnly: other reads go to the provider all the same.
func TestGraphAnswersListsOnly(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{ResourceGraph: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	r := s.get(t, set+"?api-version="+version+graphed)
	assert.Equal(t, http.StatusOK, r.status)
	assert.Empty(t, r.header.Get("x-ms-user-quota-remaining"))
}

// TestGraphRefuses with 422, as a fault: the client shall ask without the parameter.
func TestGraphRefuses(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{ResourceGraph: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	require.NoError(t, s.AddFaults(armsim.Fault{Operation: "VirtualMachineScaleSetVMs_List", Times: 1, Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 422}}}))
	assert.Equal(t, http.StatusUnprocessableEntity, s.get(t, instanceList(set, "Uniform")+graphed).status)
	assert.Equal(t, http.StatusOK, s.get(t, instanceList(set, "Uniform")).status)
}
