package fallback_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

type object = map[string]any

// TestAzuresOwnMeans: what Azure chooses among by itself is left to it, and only what it
// has no room for at all goes to the other scale set.
func TestAzuresOwnMeans(t *testing.T) {
	t.Parallel()
	const large, small = "Standard_D4s_v5", "Standard_D2s_v5"
	for name, c := range map[string]struct {
		spec  armsim.ScaleSetSpec
		stock []armsim.Stock
		split func(i armsim.InstanceInfo) string
		want  map[string]int
		keeps string // of the model
	}{
		"instance mix": {
			spec: armsim.ScaleSetSpec{OrchestrationMode: "Flexible", Change: func(model object) {
				model["sku"] = object{"name": "Mix", "capacity": 0}
				model["properties"].(object)["skuProfile"] = object{
					"vmSizes": []object{{"name": large, "rank": 0}, {"name": small, "rank": 1}}, "allocationStrategy": "Prioritized",
				}
			}},
			stock: []armsim.Stock{{Size: large, Count: 2}, {ScaleSet: first, Count: 5}},
			split: func(i armsim.InstanceInfo) string { return i.Size },
			want:  map[string]int{large: 2, small: 3},
			keeps: `"name":"Mix"`,
		},
		"priority mix": {
			spec: armsim.ScaleSetSpec{OrchestrationMode: "Flexible", Priority: "Spot", EvictionPolicy: "Delete", Change: func(model object) {
				model["properties"].(object)["priorityMixPolicy"] = object{"baseRegularPriorityCount": 2, "regularPriorityPercentageAboveBase": 0}
			}},
			stock: []armsim.Stock{{ScaleSet: first, Count: 5}},
			split: func(i armsim.InstanceInfo) string { return i.Priority },
			want:  map[string]int{"Spot": 5}, // which of them are regular is not simulated
			keeps: "priorityMixPolicy",
		},
		"zones": {
			spec:  armsim.ScaleSetSpec{Zones: []string{"1", "2"}},
			stock: []armsim.Stock{{ScaleSet: first, Count: 5}},
			split: func(i armsim.InstanceInfo) string { return i.Zone },
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := rig.Setup{Spec: c.spec, More: []armsim.ScaleSetSpec{{Name: second}}}
			rig.Run(t, s, func(r *rig.Rig) {
				require.NoError(r, r.Sim.SetStock(c.stock...))
				want(r, 8)
				requireSplit(r, 5, 3)
				got := map[string]int{}
				for _, i := range r.InstancesOf(first) {
					got[c.split(i)]++
				}
				if c.want != nil {
					assert.Equal(r, c.want, got)
				} else {
					assert.Len(r, got, 2, "%v", got)
				}
				assert.Contains(r, r.ScaleSet(), c.keeps)
				for _, i := range r.Running() {
					i.Delete()
				}
				r.AwaitFleet(0)
			})
		})
	}
}
