package load

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestJournalTellsWhoWasDeleted(t *testing.T) {
	batch := armsim.Entry{Operation: "VirtualMachineScaleSets_DeleteInstances", Body: map[string]any{"instanceIds": []any{"1", "12"}}}
	assert.True(t, deletes(batch, "runners_12-3f9a1c2b"))
	assert.False(t, deletes(batch, "runners_2-3f9a1c2b"))
	names := armsim.Entry{Operation: "VirtualMachineScaleSets_DeleteInstances", Body: map[string]any{"instanceIds": []any{"runners_0a1b2c3d"}}}
	assert.True(t, deletes(names, "runners_0a1b2c3d-3f9a1c2b"))
	single := armsim.Entry{Operation: "VirtualMachines_Delete", Path: "/subscriptions/s/Runners_0A1B2C3D"}
	assert.True(t, deletes(single, "runners_0a1b2c3d-3f9a1c2b"))
	assert.False(t, deletes(armsim.Entry{Operation: "VirtualMachines_List"}, "runners_0a1b2c3d-3f9a1c2b"))
}
