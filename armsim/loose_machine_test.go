package armsim_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestLooseMachine: a machine and its interface that a client made.
func TestLooseMachine(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	s.scaleSet(t, flexible(1))
	nic := s.ResourcePath("/providers/Microsoft.Network/networkInterfaces/own")
	config := object{"name": "c", "properties": object{"subnet": object{"id": "/x"}}}
	body := object{"location": "x", "properties": object{"ipConfigurations": []any{config}}}
	query := "?api-version=2025-05-01"
	require.Equal(t, http.StatusCreated, s.send(t, "PUT", nic+query, body).status)
	address := s.get(t, nic+query).text("properties.ipConfigurations.0.properties.privateIPAddress")
	require.NotEmpty(t, address)
	vm := s.machinesPath() + "/own"
	made := s.send(t, "PUT", vm, object{"location": "x", "properties": object{
		"hardwareProfile": object{"vmSize": "Standard_D2s_v5"}, "networkProfile": object{"networkInterfaces": []any{object{"id": nic}}},
	}})
	require.Equal(t, http.StatusCreated, made.status, made.raw)
	assert.Equal(t, "InProgress", s.status(t, made))
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.status(t, made))
	assert.Equal(t, nic, s.get(t, vm).text("properties.networkProfile.networkInterfaces.0.id"))
	assert.Equal(t, vm, s.get(t, nic+query).text("properties.virtualMachine.id"))
	assert.Nil(t, get(s.get(t, vm).body, "properties.virtualMachineScaleSet"))
	assert.Len(t, s.list(t, s.machinesPath()), 2)
	assert.Equal(t, "NicInUse", s.send(t, "DELETE", nic+query, nil).code())
	s.send(t, "DELETE", vm, nil)
	s.Advance(settled)
	gone := s.send(t, "DELETE", nic+query, nil)
	require.Equal(t, http.StatusOK, gone.status)
	assert.Equal(t, http.StatusAccepted, s.get(t, gone.header.Get("Location")).status)
	s.Advance(settled)
	assert.Equal(t, http.StatusNoContent, s.get(t, gone.header.Get("Location")).status)
	assert.Equal(t, "Succeeded", s.status(t, gone))
	assert.Equal(t, http.StatusNoContent, s.send(t, "DELETE", nic+query, nil).status)
	assert.Len(t, s.list(t, nic[:strings.LastIndex(nic, "/")]+query), 1)

	s.send(t, "PUT", nic+query, body)
	s.send(t, "PUT", vm, object{"location": "x", "properties": object{"hardwareProfile": object{"vmSize": "Standard_D2s_v5"}}})
	s.send(t, "DELETE", s.ResourcePath(""), nil)
	s.Advance(settled)
	assert.Zero(t, s.Stats().Addresses, "all goes with the group")
	assert.Zero(t, s.Stats().Instances)
}

// looseMachine is the body of a standalone virtual machine; change may alter it.
func looseMachine(size string, change func(object)) object {
	body := object{"location": "westeurope", "properties": object{
		"hardwareProfile": object{"vmSize": size}, "osProfile": object{"computerName": "own", "adminUsername": "azureuser"},
		"storageProfile": object{"osDisk": object{"createOption": "FromImage"}, "imageReference": urn("Canonical", "ubuntu-24_04-lts", "server", "latest")},
	}}
	if change != nil {
		change(body)
	}
	return body
}

// TestLooseMachineInAZone: it can be written again as it was, and its disk is there, too.
func TestLooseMachineInAZone(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	vm := s.machinesPath() + "/own"
	body := looseMachine("Standard_D2s_v5", func(m object) { m["zones"] = []any{"2"} })
	for _, status := range []int{http.StatusCreated, http.StatusOK} {
		r := s.send(t, "PUT", vm, body)
		require.Equal(t, status, r.status, r.raw)
		assert.Equal(t, []any{"2"}, r.body["zones"])
		s.Advance(settled)
	}
	disks := s.list(t, s.ResourcePath("/providers/Microsoft.Compute/disks")+"?api-version=2023-10-02")
	require.Len(t, disks, 1)
	assert.Equal(t, []any{"2"}, get(disks[0], "zones"))
	assert.Equal(t, "2", s.Instances()[0].Zone)
	for _, zones := range [][]any{{"1"}, {"2", "3"}, {}} {
		body["zones"] = zones
		assert.Equal(t, "PropertyChangeNotAllowed", s.send(t, "PUT", vm, body).code(), zones)
	}
	body["zones"] = []any{"1", "2"}
	assert.Equal(t, "InvalidParameter", s.send(t, "PUT", vm+"2", body).code())
}
