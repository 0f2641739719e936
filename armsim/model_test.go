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
}

// TestNullCountsAsLeftOut in a new model, in a change of it, and of an instance.
func TestNullCountsAsLeftOut(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1, Change: func(m map[string]any) {
		m["plan"], m["tags"] = nil, object{"k": "v"}
		profileOf(m)["storageProfile"].(object)["osDisk"] = object{"createOption": "FromImage", "managedDisk": object{"storageAccountType": nil}}
		profileOf(m)["networkProfile"].(object)["networkInterfaceConfigurations"].([]any)[0].(object)["properties"].(object)["networkSecurityGroup"] = nil
	}})
	got := s.get(t, set)
	assert.NotContains(t, got.raw, "null")
	const disk = "properties.virtualMachineProfile.storageProfile.osDisk.managedDisk.storageAccountType"
	assert.Equal(t, "Premium_LRS", got.text(disk), "the default (recording 25)")
	for _, method := range []string{"PATCH", "PUT"} {
		body := `{"location":null,"sku":null,"tags":null,"zones":null,"properties":{"upgradePolicy":{"mode":null},"virtualMachineProfile":null}}`
		require.Equal(t, http.StatusOK, s.send(t, method, set, body).status)
		s.Advance(settled)
		assert.Equal(t, got.raw, s.get(t, set).raw, method)
	}
	one := set + "/virtualMachines/" + s.ids(t, set)[0]
	before := s.get(t, one).raw
	s.send(t, "PUT", one, `{"tags":null,"properties":{"protectionPolicy":null,"storageProfile":null,"userData":null}}`)
	s.Advance(settled)
	assert.Equal(t, before, s.get(t, one).raw)
}

// TestTagsAreReplacedWhole: what a request does not name is gone, unless it names none.
func TestTagsAreReplacedWhole(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	s.send(t, "PATCH", set, `{"tags":{"a":"1","b":"2"}}`)
	s.send(t, "PATCH", set, `{"tags":{"b":"3"}}`)
	s.setCapacity(t, set, 1)
	assert.Equal(t, object{"b": "3"}, s.get(t, set).body["tags"])
	s.send(t, "PUT", set, `{"location":"westeurope","tags":{}}`)
	assert.Equal(t, object{}, s.get(t, set).body["tags"])
}

// TestWordsAreInAzuresCase however they were sent (recording 25).
func TestWordsAreInAzuresCase(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Priority: "spot", EvictionPolicy: "DELETE", Change: func(m map[string]any) {
		m["location"] = "West Europe"
		m["properties"].(object)["upgradePolicy"], m["properties"].(object)["orchestrationMode"] = object{"mode": "manual"}, "uniform"
	}})
	got := s.get(t, set)
	assert.Equal(t, "westeurope", got.text("location"))
	for path, want := range map[string]string{
		"upgradePolicy.mode": "Manual", "orchestrationMode": "Uniform",
		"virtualMachineProfile.priority": "Spot", "virtualMachineProfile.evictionPolicy": "Delete",
	} {
		assert.Equal(t, want, got.text("properties."+path))
	}
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

// TestASetWithoutAProfile is Flexible, makes no instance, and may get a profile.
func TestASetWithoutAProfile(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	set := s.ScaleSetPath("ci")
	body := object{"location": "westeurope", "properties": object{"orchestrationMode": "Flexible", "platformFaultDomainCount": 1}}
	r := s.send(t, "PUT", set, body)
	require.Equal(t, http.StatusCreated, r.status, r.raw)
	s.Advance(settled)
	r = s.get(t, set)
	assert.Equal(t, "Succeeded", r.text("properties.provisioningState"))
	assert.NotContains(t, r.raw, "virtualMachineProfile")
	assert.NotContains(t, r.raw, "sku")
	assert.Empty(t, s.machines(t, set))
	assert.Equal(t, http.StatusOK, s.send(t, "PATCH", set, `{"tags":{"a":"b"}}`).status)
	assert.Equal(t, http.StatusNotImplemented, s.setCapacity(t, set, 1).status, "what Azure says is not known")
	full := flexible(1)
	full.Change = func(m map[string]any) { body = m }
	full.Name = "other"
	s.scaleSet(t, full)
	require.Equal(t, http.StatusOK, s.send(t, "PUT", set, body).status)
	s.Advance(settled)
	assert.Len(t, s.machines(t, set), 1)
	_, err := s.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "uniform", Change: func(m map[string]any) { delete(m, "sku") }})
	assert.ErrorContains(t, err, "sku.name")
}

func TestWinRMListenersAreKept(t *testing.T) {
	t.Parallel()
	listeners := []any{object{"protocol": "Https", "certificateUrl": "https://vault.example.com/secrets/a"}, object{"protocol": "http"}}
	s := virtual(t, armsim.Config{})
	spec := armsim.ScaleSetSpec{Name: "ci", Capacity: 1, AdminPassword: "s", Change: func(m map[string]any) {
		profile := m["properties"].(object)["virtualMachineProfile"].(object)
		os := profile["osProfile"].(object)
		delete(os, "linuxConfiguration")
		os["windowsConfiguration"] = object{"winRM": object{"listeners": listeners}}
	}}
	set := s.scaleSet(t, spec)
	const path = "osProfile.windowsConfiguration.winRM.listeners"
	assert.Equal(t, listeners, get(s.get(t, set).body, "properties.virtualMachineProfile."+path))
	assert.Equal(t, listeners, get(s.list(t, set+"/virtualMachines")[0], "properties."+path))
	s.setCapacity(t, set, 2)
	assert.Equal(t, listeners, get(s.get(t, set).body, "properties.virtualMachineProfile."+path))
	listeners[1] = object{"protocol": "ftp"}
	spec.Name = "other"
	_, err := s.CreateScaleSet(t.Context(), spec)
	assert.ErrorContains(t, err, "InvalidParameter (400): The value 'ftp' of parameter 'windowsConfiguration.winRM.listeners.protocol'")
}
