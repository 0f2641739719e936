package instancegroup

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// TestUnaccountedInstancesStopIncreases (Case 02): a list that stays empty without
// an error must not be answered by creating instances again and again.
func TestUnaccountedInstancesStopIncreases(t *testing.T) {
	f, g, clock := opened(t, 1)
	said := 0
	for range 100 {
		_, err := g.Increase(t.Context(), 2)
		f.change(func() {
			for _, i := range f.vms[1:] {
				f.hidden[i.VMID] = true
			}
		})
		if err != nil {
			require.ErrorContains(t, err, " are in no list; nothing is increased until that adds up; fix: give this identity Microsoft.Compute/virtualMachineScaleSets/virtualMachines/read")
			said++
		}
		clock.pass(2 * time.Minute)
		assert.Zero(t, observed(t, g, 0))
	}
	assert.Equal(t, 1, said)
	assert.Len(t, f.writes, 2, "nothing is written once it is known")
	hidden := len(f.vms) - 1
	assert.Equal(t, 4, hidden)

	f.change(func() { f.hidden = map[string]bool{} })
	assert.Zero(t, observed(t, g, hidden))
	accepted, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, 1, accepted, "it ends by itself")
}

// TestOldViewEndsNoHold: a list may have been cut short without an error, and serve
// again and again while Azure's limits leave no other.
func TestOldViewEndsNoHold(t *testing.T) {
	f, g, clock := opened(t, 1)
	raisedBy(t, f, g, 2, 1)
	lost, lists := 0, f.lists
	for n := range 40 {
		clock.pass(time.Minute)
		if lost += observed(t, g, 1-min(n, 1)); g.ledger.hold.unaccounted > 0 {
			f.change(func() { f.lists = 0 })
		}
	}
	require.Equal(t, 1, g.ledger.hold.unaccounted)
	assert.Zero(t, lost)
	f.change(func() { f.lists = lists })
	clock.pass(time.Minute)
	assert.Equal(t, 1, observed(t, g, 0), "a new one shows that it is not there")
}

// TestBlindIdentity: an operation that failed may have made its instances, and an
// identity that may not read them would never know. Each attempt to replace them
// would make more. What no instance has is refused with NotFound where it may.
func TestBlindIdentity(t *testing.T) {
	for _, may := range []bool{false, true} {
		f, g, clock := opened(t, 0)
		accepted, err := g.Increase(t.Context(), 2)
		require.NoError(t, err)
		require.Equal(t, 2, accepted)
		f.failures["1"] = azure(armerr.Allocation, 0)
		if may {
			f.change(func() { f.vms = nil })
		} else {
			f.hidden[f.vms[0].VMID], f.hidden[f.vms[1].VMID] = true, true
			f.refuseReads = true
		}
		lost := 0
		for range 100 {
			clock.pass(time.Minute)
			lost += observed(t, g, 0)
		}
		assert.Equal(t, may, lost == 2, "lost: %d", lost)
		_, err = g.Increase(t.Context(), 1)
		require.Error(t, err)
		assert.Equal(t, !may, strings.Contains(err.Error(), "fix: give this identity"), err)
	}
}
