package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestUnknownFieldsAreKept(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Change: func(m map[string]any) {
		m["properties"].(object)["fromTheFuture"] = object{"a": 1, "b": []any{"x"}}
		m["zones"] = []any{"1"}
	}})
	s.send(t, "PATCH", set, `{"properties":{"fromTheFuture":{"a":2}},"tags":{"k":"v"}}`)
	s.send(t, "PUT", set, `{"location":"westeurope","sku":{"capacity":1}}`) // sparse
	got := s.get(t, set).body
	assert.Equal(t, object{"a": 2.0, "b": []any{"x"}}, get(got, "properties.fromTheFuture"))
	assert.Equal(t, []any{"1"}, got["zones"])
	assert.Equal(t, object{"k": "v"}, got["tags"])
	s.send(t, "PATCH", set, `{"properties":{"fromTheFuture":null}}`)
	assert.Nil(t, get(s.get(t, set).body, "properties.fromTheFuture"))
}

func TestModelChangesReachNewInstancesOnly(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	old := s.ids(t, set)[0]
	s.send(t, "PATCH", set, `{"sku":{"capacity":2},"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{"version":"2"}}}}}`)
	s.Advance(settled)
	for _, i := range s.list(t, set+"/virtualMachines") {
		fresh := get(i, "instanceId") != old
		assert.Equal(t, fresh, get(i, "properties.latestModelApplied"))
		assert.Equal(t, fresh, get(i, "properties.storageProfile.imageReference.version") == "2")
	}
	r := s.send(t, "POST", set+"/manualupgrade", object{"instanceIds": []string{old}})
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.status(t, r))
	assert.Equal(t, true, get(s.get(t, set+"/virtualMachines/"+old).body, "properties.latestModelApplied"))
}

// TestSecretsStayInside reads everything that the simulator says after it was
// sent secrets in all the places where they belong, and in wrong ones.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	const secret = "not-for-you-5af1"
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1, AdminPassword: secret, Change: func(m map[string]any) {
		profile := m["properties"].(object)["virtualMachineProfile"].(object)
		profile["userData"] = secret
		profile["osProfile"].(object)["customData"] = secret
		profile["extensionProfile"] = object{"extensions": []any{object{"name": "e", "properties": object{"protectedSettings": object{"k": secret}}}}}
	}})
	one := set + "/virtualMachines/" + s.ids(t, set)[0]
	replies := []reply{
		s.send(t, "PATCH", set, object{"properties": object{"osProfile": object{"AdminPassword": secret}}}),
		s.send(t, "PATCH", set, object{"properties": object{"virtualMachineProfile": object{"osProfile": object{"adminPassword": secret}}}}),
		s.send(t, "PUT", one, object{"properties": object{"osProfile": object{"adminPassword": secret}, "protectionPolicy": object{"adminPassword": secret}}}),
		s.send(t, "POST", set+"/reimage", object{"osProfile": object{"adminPassword": secret}}),
	}
	for _, path := range []string{set, set + "/virtualMachines", one, one + "/instanceView", s.ResourcePath("/providers/Microsoft.Compute/virtualMachineScaleSets")} {
		replies = append(replies, s.get(t, path))
	}
	for _, path := range []string{"/journal", "/stats", "/instances"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.ControlEndpoint+path, nil)
		require.NoError(t, err)
		replies = append(replies, reply{raw: readAll(t, r)})
	}
	for _, r := range replies {
		assert.NotContains(t, r.raw, secret)
	}
	for _, e := range s.Journal() {
		assert.NotContains(t, jsonOf(t, e), secret)
	}
}

func TestWriteToAnInstanceTwice(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	one := set + "/virtualMachines/" + s.ids(t, set)[0]
	body := `{"properties":{"protectionPolicy":{"protectFromScaleIn":true}}}`
	first, second := s.send(t, "PUT", one, body), s.send(t, "PUT", one, body)
	assert.Equal(t, http.StatusOK, first.status)
	assert.Equal(t, "Updating", second.text("properties.provisioningState"))
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.get(t, one).text("properties.provisioningState"))
	assert.Equal(t, true, get(s.get(t, one).body, "properties.protectionPolicy.protectFromScaleIn"))
	assert.Equal(t, "Succeeded", s.status(t, second))
	assert.Equal(t, http.StatusPreconditionFailed, s.send(t, "PUT", one, body, header{"If-Match": `"0"`}).status)
}
