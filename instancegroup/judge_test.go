package instancegroup

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// TestJudgeSuspended: whether one that is off is suspended depends on who did it.
func TestJudgeSuspended(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	running, asleep, coming, creating := &Member{State: Running}, &Member{State: Suspended}, &Member{State: Resuming}, &Member{State: Creating}
	ended := func(failure error) *operation {
		return &operation{id: "1", began: now.Add(-time.Minute), ended: now.Add(-time.Second), failure: failure}
	}
	lately, long := now.Add(-time.Minute), now.Add(-time.Hour)
	const off = Dead
	for name, c := range map[string]struct {
		provisioning, power string
		before              *Member
		marked              bool
		suspension          suspension
		want                State
	}{
		"marked":                             {"Succeeded", "deallocated", nil, true, suspension{}, Suspended},
		"not marked":                         {"Succeeded", "deallocated", nil, false, suspension{}, off},
		"on its way":                         {"Updating", "deallocating", nil, true, suspension{}, Suspending},
		"halted":                             {"Succeeded", "stopped", nil, true, suspension{}, Suspending},
		"it ran since, whatever its mark":    {"Succeeded", "deallocated", running, true, suspension{}, off},
		"it is seen late":                    {"Succeeded", "deallocated", creating, true, suspension{}, Suspended},
		"it stays":                           {"Succeeded", "deallocated", asleep, true, suspension{}, Suspended},
		"its mark was removed":               {"Succeeded", "deallocated", asleep, false, suspension{}, off},
		"but this process knows":             {"Succeeded", "deallocated", asleep, false, suspension{phase: suspended, since: long}, Suspended},
		"marked, and running":                {"Succeeded", "running", nil, true, suspension{}, Running},
		"somebody starts it":                 {"Updating", "starting", asleep, true, suspension{}, Resuming},
		"somebody starts it, further":        {"Updating", "running", asleep, true, suspension{}, Resuming},
		"somebody has started it":            {"Succeeded", "running", asleep, true, suspension{phase: suspended, since: long}, Running},
		"the list is older":                  {"Succeeded", "running", asleep, true, suspension{phase: suspended, since: lately}, Suspended},
		"a start of an earlier process":      {"Updating", "starting", nil, true, suspension{}, Resuming},
		"accepted":                           {"Succeeded", "running", running, true, suspension{phase: suspending, since: lately}, Suspending},
		"accepted, and it came to nothing":   {"Succeeded", "running", running, true, suspension{phase: suspending, since: lately, by: ended(errors.New("x"))}, Running},
		"accepted, no operation, nothing":    {"Succeeded", "running", running, true, suspension{phase: suspending, since: long}, Running},
		"doubtful, and it was not":           {"Succeeded", "running", running, true, suspension{phase: doubtful, since: lately}, Running},
		"doubtful, and it was":               {"Succeeded", "deallocated", running, true, suspension{phase: doubtful, since: lately}, Suspended},
		"resuming, not begun":                {"Succeeded", "deallocated", coming, true, suspension{phase: resuming, since: lately}, Resuming},
		"resuming":                           {"Updating", "starting", coming, true, suspension{phase: resuming, since: lately}, Resuming},
		"resuming, about to end":             {"Updating", "running", coming, true, suspension{phase: resuming, since: lately}, Resuming},
		"resumed":                            {"Succeeded", "running", coming, true, suspension{phase: resuming, since: lately}, Running},
		"its start failed":                   {"Succeeded", "deallocated", coming, true, suspension{phase: resuming, since: lately, by: ended(errors.New("x"))}, Dead},
		"its start failed, and failed it":    {"Failed", "deallocated", coming, true, suspension{phase: resuming, since: lately, by: ended(errors.New("x"))}, Dead},
		"another start of the same failed":   {"Succeeded", "running", coming, true, suspension{phase: resuming, since: lately, by: ended(errors.New("x"))}, Running},
		"its start ended, and it is off":     {"Succeeded", "deallocated", coming, true, suspension{phase: resuming, since: long}, Dead},
		"the list is older than the resume":  {"Succeeded", "deallocated", running, true, suspension{phase: resumed, since: lately}, Running},
		"evicted after that":                 {"Succeeded", "deallocated", running, true, suspension{phase: resumed, since: long}, off},
		"refused":                            {"Succeeded", "deallocated", asleep, true, suspension{phase: lost, reason: "none left"}, Dead},
		"deleted meanwhile":                  {"Deleting", "deallocated", asleep, true, suspension{phase: lost, reason: "none left"}, Deleting},
		"deleted":                            {"Deleting", "deallocated", asleep, true, suspension{}, Deleting},
		"dead is final":                      {"Succeeded", "deallocated", &Member{State: Dead, Reason: "old"}, true, suspension{}, Dead},
		"a response without a power state":   {"Succeeded", "", asleep, true, suspension{}, Suspended},
		"without one while it is resumed":    {"Succeeded", "", coming, true, suspension{phase: resuming, since: lately}, Resuming},
		"without one while it is suspending": {"Succeeded", "", running, true, suspension{phase: suspending, since: lately}, Suspending},
	} {
		t.Run(name, func(t *testing.T) {
			i := vmss.Instance{ProvisioningState: c.provisioning, PowerState: c.power, HasView: true}
			if c.marked {
				i.Mark = vmss.Suspended
			}
			state, reason := judge(i, c.before, circumstances{addressed: true, suspends: true, seen: now, suspension: c.suspension})
			assert.Equal(t, c.want, state, reason)
			assert.Equal(t, c.want == Dead, reason != "", reason)
		})
	}
	i := vmss.Instance{ProvisioningState: "Succeeded", PowerState: "deallocated", HasView: true, Mark: vmss.Suspended}
	state, _ := judge(i, nil, circumstances{addressed: true, seen: now})
	assert.Equal(t, Dead, state, "where nothing is suspended, marks mean nothing")
	i.PowerState = "running"
	state, _ = judge(i, coming, circumstances{suspends: true, seen: now, suspension: suspension{phase: resuming, since: lately}})
	assert.Equal(t, Resuming, state, "its address is yet to be read")
}
