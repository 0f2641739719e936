package armsim_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestAPreemptedDeletionsMachine runs again; its job is gone.
func TestAPreemptedDeletionsMachine(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, armsim.Config{ParallelWrites: armsim.ParallelPreempt, Delete: armsim.Duration{Median: time.Hour}},
		armsim.ScaleSetSpec{Name: "ci", Capacity: 2})
	all := s.running(t)
	wait := s.job(t, all[0].PrivateAddress)
	require.NoError(t, s.Remove(all[0].Name))
	require.Error(t, wait())
	require.NoError(t, s.Remove(all[1].Name))
	require.Eventually(t, func() bool { return s.Stats().Running == 1 }, patience, 5*time.Millisecond)
	assert.Equal(t, "again\n", s.run(t, all[0].PrivateAddress, "echo again"))
	assert.Equal(t, 1, s.Stats().Capacity)
}

// TestAFailedDeletionsMachine stays down, and starts when it is asked to.
func TestAFailedDeletionsMachine(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, armsim.Config{Faults: []armsim.Fault{{Operation: "instance.delete", Effect: armsim.Effect{Fail: stockOut}}}},
		armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	one := s.running(t)[0]
	require.NoError(t, s.Remove(one.Name))
	require.Eventually(t, func() bool { return s.state(t, one.Name) == "Succeeded stopped" }, patience, 5*time.Millisecond)
	assert.Zero(t, s.Stats().Machines)
	require.NoError(t, s.PowerOn(one.Name))
	s.running(t)
	assert.Equal(t, "up\n", s.run(t, one.PrivateAddress, "echo up"))
}

// TestAFailedInstanceThatRuns can be logged in to.
func TestAFailedInstanceThatRuns(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, armsim.Config{Faults: []armsim.Fault{{Operation: "instance.create", Effect: armsim.Effect{FailRunning: stockOut}}}},
		armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	one := s.running(t)[0]
	assert.Equal(t, "Failed running", s.state(t, one.Name))
	assert.Equal(t, "up\n", s.run(t, one.PrivateAddress, "echo up"))
	view := s.get(t, s.set+"/virtualMachines/"+one.InstanceID+"/instanceView")
	assert.Contains(t, view.raw, "none are left")
}
