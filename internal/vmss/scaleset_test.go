package vmss

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMaxSize(t *testing.T) {
	for _, c := range []struct {
		single, image bool
		want          int
	}{{false, false, 1000}, {false, true, 600}, {true, false, 100}, {true, true, 100}} {
		set := ScaleSet{Model: Model{SingleGroup: c.single, ManagedImage: c.image}}
		assert.Equal(t, c.want, set.MaxSize())
	}
}

// Azure's values come in any case.
func TestStatesInAnyCase(t *testing.T) {
	assert.True(t, ScaleSet{Model: Model{Spot: Spot{Priority: "spot"}}}.IsSpot())
	assert.False(t, ScaleSet{Model: Model{Spot: Spot{Priority: "Regular"}}}.IsSpot())
	assert.False(t, ScaleSet{}.IsSpot())
	assert.True(t, ScaleSet{ProvisioningState: "updating"}.IsUpdating())
	assert.False(t, ScaleSet{ProvisioningState: "Succeeded"}.IsUpdating())
	assert.True(t, Instance{PowerState: "Running"}.IsOn())
	assert.False(t, Instance{PowerState: "starting"}.IsOn())
	assert.True(t, Instance{ProvisioningState: "DELETING"}.Is("Deleting"))
	assert.False(t, Instance{}.Is("Deleting"))
}
