package instancegroup

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// sleeper is a group whose instances may be suspended.
type sleeper struct {
	*testing.T
	*fake
	*Group
	clock *clock
}

func newSleeper(t *testing.T, f *fake) *sleeper {
	t.Helper()
	s := &sleeper{T: t, fake: f}
	s.restart()
	return s
}

func (s *sleeper) restart() {
	s.Group, s.clock = s.openWith(s, Options{Suspension: Suspension{On: true}})
	s.update()
}

func (s *sleeper) update() *View {
	s.Helper()
	s.clock.pass(30 * time.Second)
	v, err := s.Observe(s.Context())
	require.NoError(s, err)
	require.NoError(s, s.Tend(s.Context(), v))
	return s.last()
}

func (s *sleeper) states() (all []string) {
	for _, m := range s.last().Members {
		all = append(all, m.State.String())
	}
	slices.Sort(all)
	return all
}

func (s *sleeper) marks() (n int) {
	for _, i := range s.vms {
		if i.Mark == vmss.Suspended {
			n++
		}
	}
	return n
}

func (s *sleeper) suspend(ids ...string) {
	s.Helper()
	done, err := s.Suspend(s.Context(), ids)
	require.NoError(s, err)
	require.ElementsMatch(s, ids, done)
}

func (s *sleeper) resume(ids ...string) {
	s.Helper()
	done, err := s.Resume(s.Context(), ids)
	require.NoError(s, err)
	require.ElementsMatch(s, ids, done)
}

func TestSuspendAndResume(t *testing.T) {
	for n, mode := range []vmss.OrchestrationMode{vmss.Uniform, vmss.Flexible, vmss.Flexible} {
		f := newFake(3)
		f.set.Mode, f.bare = mode, n == 2
		s := newSleeper(t, f)
		a, b := s.id(0), s.id(1)
		s.suspend(a, b)
		assert.Equal(t, []string{"running", "suspending", "suspending"}, s.states(), "at once")
		assert.Equal(t, []string{"running", "suspending", "suspending"}, func() []string { s.update(); return s.states() }())
		s.suspend(a, b)
		s.settlePower()
		s.update()
		assert.Equal(t, []string{"running", "suspended", "suspended"}, s.states())
		assert.Equal(t, []string{opDeallocate + " 1 2"}, s.powered, "it is asked for once")
		assert.Equal(t, 2, s.marks())
		assert.EqualValues(t, 3, s.last().Occupied())
		assert.False(t, s.last().Find(a).Private.IsValid())
		s.suspend(a)

		s.resume(a)
		assert.Equal(t, []string{"resuming", "running", "suspended"}, s.states())
		s.resume(a)
		s.update()
		s.settlePower()
		s.update()
		s.update()
		assert.Equal(t, []string{"running", "running", "suspended"}, s.states())
		assert.True(t, s.last().Find(a).Private.IsValid(), "its address is read anew")
		assert.Equal(t, 1, s.marks(), "it may be evicted from now on")
		assert.Equal(t, []string{opDeallocate + " 1 2", opStart + " 1"}, s.powered)
		s.resume(a)
		assert.Equal(t, 3, s.count(opMark))
	}
}

// TestSuspendedOutlivesTheProcess: what it needs is on Azure, where a list need not hold it.
func TestSuspendedOutlivesTheProcess(t *testing.T) {
	for _, bare := range []bool{false, true} {
		f := newFake(4)
		if f.bare = bare; bare {
			f.set.Mode = vmss.Flexible
		}
		outlives(newSleeper(t, f))
	}
}

func outlives(s *sleeper) {
	t := s.T
	ids := []string{s.id(0), s.id(1), s.id(2)}
	s.suspend(ids...)
	s.restart()
	assert.Equal(t, []string{"running", "suspending", "suspending", "suspending"}, s.states())
	s.settlePower()
	s.restart()
	s.vm(3, func(i *vmss.Instance) { i.PowerState = "deallocated" })
	s.update()
	assert.Equal(t, []string{"dead", "suspended", "suspended", "suspended"}, s.states(), "the fourth was evicted")
	s.resume(ids...)
	s.restart()
	assert.Equal(t, []string{"dead", "resuming", "resuming", "resuming"}, s.states())
	s.settlePower()
	s.update()
	s.update()
	assert.Equal(t, []string{"dead", "running", "running", "running"}, s.states())
	assert.Zero(t, s.marks())
}

// TestCrashBetweenMarkAndDeallocation: the mark of an instance that runs is harmless, and
// goes.
func TestCrashBetweenMarkAndDeallocation(t *testing.T) {
	s := newSleeper(t, newFake(1))
	s.vm(0, func(i *vmss.Instance) { i.Mark = vmss.Suspended })
	s.restart()
	assert.Equal(t, []string{"running"}, s.states())
	s.update()
	assert.Zero(t, s.marks())
	protected := func(i *vmss.Instance) { i.Mark, i.ByPolicy = vmss.Suspended, true }
	s.vm(0, protected)
	s.restart()
	s.update()
	assert.Equal(t, 1, s.marks(), "somebody may have protected it")
}

// TestResumeWithoutCapacity: what cannot be started is replaced.
func TestResumeWithoutCapacity(t *testing.T) {
	s := newSleeper(t, newFake(4))
	ids := []string{s.id(0), s.id(1), s.id(2), s.id(3)}
	s.suspend(ids...)
	s.settlePower()
	s.update()
	s.refuse, s.refusal = "3", armerr.Allocation
	done, err := s.Resume(t.Context(), ids)
	require.Error(t, err)
	assert.ElementsMatch(t, []string{ids[0], ids[1], ids[3]}, done, "the others are started")
	assert.Equal(t, []string{"dead", "resuming", "resuming", "resuming"}, s.states(), "at once")
	s.refuse = ""
	s.settlePower()
	v := s.update()
	require.NoError(t, s.Reap(t.Context(), v))
	assert.Equal(t, [][]string{{"3"}}, s.sent)
	assert.Equal(t, ResumeFailed, removalOf(v.Find(ids[2]).Reason))
	assert.False(t, s.backoffs.start.active(s.now()), "it is no start of a new one that failed")
}

// TestResumeOfManyWithoutCapacity: which of them Azure has no machines for is not asked
// without end, and none is given up that was not asked for by itself.
func TestResumeOfManyWithoutCapacity(t *testing.T) {
	f := newFake(40)
	for n := range f.vms {
		f.vms[n].Mark, f.vms[n].PowerState = vmss.Suspended, "deallocated"
	}
	s := newSleeper(t, f)
	var ids []string
	for n := range f.vms {
		ids = append(ids, s.id(n))
	}
	s.refuseAll, s.refusal = true, armerr.Allocation
	done, err := s.Resume(t.Context(), ids)
	require.Error(t, err)
	assert.Empty(t, done)
	count := map[string]int{}
	for _, state := range s.states() {
		count[state]++
	}
	single := 0
	for _, call := range s.powered {
		if strings.Count(call, " ") == 1 {
			single++
		}
	}
	assert.Equal(t, map[string]int{"dead": single, "suspended": 40 - single}, count)
	s.refuseAll = false
	done, err = s.Resume(t.Context(), ids)
	require.Error(t, err, "about the dead")
	assert.Len(t, done, 40-single, "the runner may ask again")
}

// TestResumeWithoutQuota: another instance would not get it either.
func TestResumeWithoutQuota(t *testing.T) {
	s := newSleeper(t, newFake(1))
	s.suspend(s.id(0))
	s.settlePower()
	s.update()
	s.refuse, s.refusal = "1", armerr.Quota
	done, err := s.Resume(t.Context(), []string{s.id(0)})
	require.Error(t, err)
	assert.Empty(t, done)
	assert.Equal(t, []string{"suspended"}, s.states())
}

// TestResumeFailsLater: Azure accepts it, and the operation fails.
func TestResumeFailsLater(t *testing.T) {
	s := newSleeper(t, newFake(2))
	a, b := s.id(0), s.id(1)
	s.suspend(a, b)
	s.settlePower()
	s.update()
	s.failures["2"] = azure(armerr.Allocation, 0)
	s.resume(a, b)
	s.vm(0, func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Succeeded", "deallocated" })
	s.vm(1, func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Succeeded", "running" })
	s.update()
	s.update()
	assert.Equal(t, []string{"dead", "running"}, s.states())
	assert.Equal(t, Dead, s.last().Find(a).State)
}

// TestResumeThatNeverEnds has the time that a creation has.
func TestResumeThatNeverEnds(t *testing.T) {
	s := newSleeper(t, newFake(1))
	s.endless = true
	s.suspend(s.id(0))
	s.settlePower()
	s.update()
	s.resume(s.id(0))
	s.clock.pass(DefaultCreationLimit - time.Minute)
	s.update()
	assert.Equal(t, []string{"resuming"}, s.states())
	s.clock.pass(time.Minute)
	s.update()
	assert.Equal(t, []string{"dead"}, s.states())
}

// TestHaltedIsDeallocated: a deallocation that fails leaves an instance stopped, which
// costs as much as one that runs.
func TestHaltedIsDeallocated(t *testing.T) {
	s := newSleeper(t, newFake(1))
	s.failures["1"] = azure(armerr.Transient, 0)
	s.suspend(s.id(0))
	s.vm(0, func(i *vmss.Instance) { i.ProvisioningState, i.PowerState = "Succeeded", "stopped" })
	s.update()
	s.update()
	assert.Equal(t, []string{opDeallocate + " 1", opDeallocate + " 1"}, s.powered)
	assert.Equal(t, []string{"suspending"}, s.states())
	s.settlePower()
	s.update()
	assert.Equal(t, []string{"suspended"}, s.states())
}

// TestSuspendThatFails: the instance runs on, and is the runner's.
func TestSuspendThatFails(t *testing.T) {
	s := newSleeper(t, newFake(1))
	s.idle = true
	s.failures["1"] = azure(armerr.Transient, 0)
	s.suspend(s.id(0))
	s.update()
	s.update()
	assert.Equal(t, []string{"running"}, s.states())
}

// TestSuspendResponseLost: what was carried out is no eviction.
func TestSuspendResponseLost(t *testing.T) {
	s := newSleeper(t, newFake(1))
	s.failNext(opDeallocate, fault{azure(armerr.Network, 0), true})
	_, err := s.Suspend(t.Context(), []string{s.id(0)})
	require.Error(t, err)
	s.settlePower()
	s.update()
	assert.Equal(t, []string{"suspended"}, s.states())
}

// TestSuspendInPart: one is accepted, the response to another is lost, and the rest are not
// tried.
func TestSuspendInPart(t *testing.T) {
	f := newFake(3)
	f.set.Mode = vmss.Flexible
	s := newSleeper(t, f)
	s.failNext(opDeallocate, fault{err: azure(armerr.Network, 0)})
	f.outcome = &vmss.PowerOutcome{Accepted: []string{f.vms[0].InstanceID}, Doubtful: []string{f.vms[1].InstanceID}}
	ids := []string{s.id(0), s.id(1), s.id(2)}
	done, err := s.Suspend(t.Context(), ids)
	require.Error(t, err)
	assert.Equal(t, ids[:1], done)
	for n, want := range []phase{suspending, doubtful, untouched} {
		assert.Equal(t, want, s.suspensions.of(ids[n]).phase, n)
	}
}

func TestSuspendUnfit(t *testing.T) {
	s := newSleeper(t, newFake(3))
	a, b, c := s.id(0), s.id(1), s.id(2)
	s.suspend(b)
	_, err := s.Decrease(t.Context(), []string{c})
	require.NoError(t, err)
	s.update()
	done, err := s.Suspend(t.Context(), []string{a, b, c, "ci_9-12345678"})
	assert.ElementsMatch(t, []string{a, b}, done)
	require.ErrorContains(t, err, "it is deleting")
	require.ErrorContains(t, err, "no longer exists")
	assert.NotContains(t, err.Error(), "\n")
	done, err = s.Resume(t.Context(), []string{b})
	assert.Empty(t, done)
	require.ErrorContains(t, err, "it is suspending", "the runner waits for it")
}

// TestSuspendWithinLimits: the runner asks again to suspend, and nobody to resume.
func TestSuspendWithinLimits(t *testing.T) {
	s := newSleeper(t, newFake(3))
	s.remaining[vmss.MarkInstance] = markSpare + 2
	done, err := s.Suspend(t.Context(), []string{s.id(0), s.id(1), s.id(2)})
	require.NoError(t, err)
	assert.Len(t, done, 2)
	s.settlePower()
	s.update()
	s.remaining[vmss.DeallocateInstances], s.remaining[vmss.StartInstances] = 0, 0
	left := s.last().Members[2].MemberID
	done, err = s.Suspend(t.Context(), []string{left})
	require.NoError(t, err)
	assert.Empty(t, done)
	done, err = s.Resume(t.Context(), []string{s.id(0)})
	require.ErrorContains(t, err, "request limits")
	assert.Empty(t, done)
}

// TestSuspendedIsDeleted as any other.
func TestSuspendedIsDeleted(t *testing.T) {
	s := newSleeper(t, newFake(2))
	s.suspend(s.id(0))
	s.settlePower()
	s.update()
	s.clock.pass(24 * time.Hour)
	v := s.update()
	require.NoError(t, s.Reap(t.Context(), v))
	assert.Empty(t, s.sent, "nothing else deletes it")
	done, err := s.Decrease(t.Context(), []string{s.id(0)})
	require.NoError(t, err)
	assert.Equal(t, []string{s.id(0)}, done)
}

func TestSuspensionIsRefused(t *testing.T) {
	for _, c := range []struct {
		spoil func(*vmss.ScaleSet)
		ask   Suspension
		want  string
	}{
		{func(s *vmss.ScaleSet) { s.Model.EphemeralDisk = true }, Suspension{On: true}, "ephemeral OS disks"},
		{func(*vmss.ScaleSet) {}, Suspension{On: true, Hibernate: true}, "Uniform orchestration cannot hibernate"},
		{func(s *vmss.ScaleSet) { s.Mode = vmss.Flexible }, Suspension{On: true, Hibernate: true}, "additionalCapabilities.hibernationEnabled"},
		{func(s *vmss.ScaleSet) { s.Model.EphemeralDisk = true }, Suspension{On: true, IfPossible: true}, ""},
		{func(s *vmss.ScaleSet) { s.Model.EphemeralDisk = true }, Suspension{}, ""},
	} {
		if c.want == "" && !c.ask.On {
			f := newFake(0)
			c.spoil(&f.set)
			_, err := Open(context.Background(), Options{Client: f, Logger: hclog.NewNullLogger(), WarmPool: 1})
			require.ErrorContains(t, err, "fix: set warm_pool_size = 0")
		}
		f := newFake(0)
		c.spoil(&f.set)
		g, err := Open(context.Background(), Options{Client: f, Logger: hclog.NewNullLogger(), Suspension: c.ask})
		if c.want == "" {
			require.NoError(t, err)
			assert.False(t, g.Suspends())
			continue
		}
		require.ErrorContains(t, err, c.want)
		require.ErrorContains(t, err, "fix: set suspend_mode")
	}
}
