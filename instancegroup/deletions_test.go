package instancegroup

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func member(id string, s State, change func(*Member)) Member {
	m := Member{MemberID: id, State: s, Instance: vmss.Instance{VMID: "vmid-" + id, PowerState: "running"}}
	if change != nil {
		change(&m)
	}
	return m
}

func TestDeletionsRetryAfterFailure(t *testing.T) {
	d := newDeletions()
	assert.Equal(t, []string{"a", "b"}, d.record([]string{"a", "b"}, "1", start))
	require.Len(t, d.operations(), 1)
	a, going := member("a", Deleting, nil), member("a", Deleting, func(m *Member) { m.ProvisioningState = "deleting" })
	assert.False(t, d.mustRetry(&a, start))

	o := d.operations()[0]
	o.record(start.Add(time.Minute), vmss.Progress{Ended: true, Failure: azure(armerr.Conflict, 409)}, nil)
	assert.Empty(t, d.record([]string{"b"}, "", start.Add(time.Second)), "it is known")
	require.Len(t, d.operations(), 1, "an operation without a name cannot be polled")
	_, failed := d.finish(o)
	assert.Equal(t, 1, failed, "one was sent again since")
	assert.Empty(t, d.operations())
	deleted, unfinished := d.finish(o)
	assert.Zero(t, unfinished)
	assert.Empty(t, deleted)
	assert.True(t, d.mustRetry(&a, start))
	assert.False(t, d.mustRetry(&going, start), "what is being deleted is left alone")
	b := member("b", Deleting, nil)
	assert.False(t, d.mustRetry(&b, start))

	d.record([]string{"a"}, "", start)
	assert.False(t, d.mustRetry(&a, start))
	d.forget([]string{"a"})
	assert.False(t, d.has("a"))
	assert.True(t, d.has("b"))
}

// TestAssumedEndsProveNothing: where Azure no longer knows an operation, the state of the
// scale set says that it has ended, and not how.
func TestAssumedEndsProveNothing(t *testing.T) {
	d := newDeletions()
	d.record([]string{"a"}, "1", start)
	o := d.operations()[0]
	o.id = ""
	o.record(start.Add(time.Minute), vmss.Progress{Ended: true}, nil)
	deleted, unfinished := d.finish(o)
	assert.Empty(t, deleted)
	assert.Zero(t, unfinished)
	for _, listsProve := range []bool{false, true} {
		assert.Equal(t, absenceExpected, d.absent("a", 1, listsProve, start))
		assert.Equal(t, absenceExpected, d.absent("a", 1, listsProve, start), "it is the same list")
	}
	assert.Equal(t, absenceUnexplained, d.absent("a", 2, false, start), "Azure may have given the deletion up")
	assert.Equal(t, absenceProven, d.absent("a", 2, true, start))
}

func TestDeletionsThatDoNotBegin(t *testing.T) {
	d := newDeletions()
	d.record([]string{"a"}, "1", start)
	o := d.operations()[0]
	o.record(start, vmss.Progress{Ended: true}, nil)
	deleted, unfinished := d.finish(o)
	assert.Zero(t, unfinished)
	assert.Equal(t, []string{"a"}, deleted)
	a := member("a", Deleting, nil)
	assert.False(t, d.mustRetry(&a, start.Add(deletionLag-1)))
	assert.True(t, d.mustRetry(&a, start.Add(deletionLag)))
}

func TestReapable(t *testing.T) {
	d := newDeletions()
	d.record([]string{"sent", "again"}, "", start)
	d.accepted["again"].retry = true
	v := &View{Members: []Member{
		member("again", Deleting, nil),
		member("dead", Dead, nil),
		member("running", Running, nil),
		member("sent", Dead, nil),
		member("unidentified", Dead, func(m *Member) { m.VMID, m.PowerState = "", "stopped" }),
		member("unidentified-on", Dead, func(m *Member) { m.VMID = "" }),
	}}
	assert.Equal(t, []string{"again", "dead", "unidentified"}, d.reapable(v, start))
}

// A deletion is stuck by its age in the view, or since it was sent last.
func TestStuckDeletions(t *testing.T) {
	d := newDeletions()
	deleting := func(m *Member) { m.ProvisioningState, m.deleting = "Deleting", start }
	v := &View{Members: []Member{member("foreign", Deleting, deleting), member("ours", Deleting, deleting), member("running", Running, nil)}}
	d.record([]string{"ours"}, "", start.Add(time.Minute))
	assert.Empty(t, d.stuck(v, start.Add(stuckDeleting-1)))
	assert.Equal(t, []string{"foreign"}, d.stuck(v, start.Add(stuckDeleting)))
	assert.Equal(t, []string{"foreign", "ours"}, d.stuck(v, start.Add(stuckDeleting+time.Minute)))
}

// TestPreemptedDeletionsDoNotAlternate: a deletion that a later one preempted is sent
// again once that has ended, or both would preempt each other in turn.
func TestPreemptedDeletionsDoNotAlternate(t *testing.T) {
	for _, kind := range []armerr.Kind{armerr.Preempted, armerr.Transient} {
		d := newDeletions()
		d.record([]string{"a"}, "1", start)
		d.record([]string{"b"}, "2", start.Add(time.Second))
		first, second := d.operations()[0], d.operations()[1]
		first.failure = azure(kind, 0)
		_, unfinished := d.finish(first)
		require.Equal(t, 1, unfinished)
		now := start.Add(10 * time.Second)
		assert.Equal(t, kind != armerr.Preempted, d.mustRetry(&Member{MemberID: "a"}, now))
		d.finish(second)
		assert.True(t, d.mustRetry(&Member{MemberID: "a"}, now))
	}
}

// TestListContradictsAnEndedDeletion: where lists are scarce an instance is gone to the
// runner when its deletion has ended. One that runs all the same is deleted again, and
// not hidden: Azure had the deletion twice, and ended the later one without doing it.
func TestListContradictsAnEndedDeletion(t *testing.T) {
	f := newFake(400)
	f.pageSize, f.perMinute, f.lists = 50, 10, 7
	g, clock := f.open(t)
	id := refreshed(t, g).Members[0].MemberID
	_, err := g.Decrease(t.Context(), []string{id})
	require.NoError(t, err)
	require.Len(t, f.sent, 1)
	for g.last().Find(id) != nil && clock.now().Before(start.Add(5*time.Minute)) {
		clock.pass(10 * time.Second)
		observed(t, g, 0)
	}
	require.Nil(t, g.last().Find(id), "its deletion has ended")

	f.each(func(i *vmss.Instance) bool {
		i.ProvisioningState, i.PowerState = "Succeeded", "running"
		return true
	})
	for len(f.sent) == 1 && clock.now().Before(start.Add(10*time.Minute)) {
		clock.pass(10 * time.Second)
		_ = g.Reap(t.Context(), refreshed(t, g))
	}
	require.Len(t, f.sent, 2)
	assert.Equal(t, f.sent[0], f.sent[1])
	assert.Equal(t, Deleting, g.last().Find(id).State)
}

// TestDroppedIsForgotten: where lists are scarce a deletion that has ended is the end of all
// that is kept of an instance, and the runner does not hear of one of the warm pool.
func TestDroppedIsForgotten(t *testing.T) {
	f := newFake(400)
	f.pageSize, f.perMinute, f.lists = 50, 10, 7
	for n := range 2 {
		f.vms[n].PowerState = "deallocated"
	}
	f.vms[0].Mark, f.vms[1].Mark = vmss.Warm("m1"), vmss.Suspended
	warm, asleep := f.id(0), f.id(1)
	s := newSleeper(t, f)
	_, err := s.Resume(t.Context(), []string{asleep})
	require.NoError(t, err)
	s.KeepWarm(t.Context())
	for len(f.deleted) < 2 && s.clock.now().Before(start.Add(5*time.Minute)) { // deletions gather
		require.NoError(t, s.Reap(t.Context(), s.observe()))
		_, err = s.Decrease(t.Context(), []string{asleep})
		require.NoError(t, err)
	}
	require.Len(t, f.deleted, 2)
	for n := 0; s.last().Find(warm) != nil || s.last().Find(asleep) != nil; n++ {
		require.Less(t, n, 20)
		assert.NotContains(t, s.observe().Gone, warm)
	}
	v := s.observe()
	assert.Contains(t, v.Gone, asleep)
	assert.NotContains(t, v.Gone, warm)
	assert.Empty(t, s.suspensions.known)
	assert.Empty(t, s.suspensions.batches)
}

// observe is an update in which nothing is read again.
func (s *sleeper) observe() *View {
	s.clock.pass(10 * time.Second)
	v, err := s.Observe(s.Context())
	require.NoError(s, err)
	return v
}

// TestEndOfADeletionIsAskedFor as soon as a list lacks all that it deletes: until then
// the instances take room that others wait for.
func TestEndOfADeletionIsAskedFor(t *testing.T) {
	f, g, clock := opened(t, 3)
	_, err := g.Decrease(t.Context(), []string{f.id(0), f.id(1)})
	require.NoError(t, err)
	gone := f.vms[0].VMID
	f.change(func() { f.hidden[gone] = true })
	clock.pass(pollInterval)
	observed(t, g, 0)
	clock.pass(2 * time.Second)
	observed(t, g, 0)
	assert.Zero(t, f.count(opProgress), "one is still listed")
	f.finish()
	clock.pass(2 * time.Second)
	observed(t, g, 0)
	clock.pass(2 * time.Second)
	observed(t, g, 0)
	assert.Equal(t, 1, f.count(opProgress))
	assert.Len(t, g.last().Members, 1)
}

// TestDeletionsOutliveAThrottledList: how long lists have to wait is no reason for
// deletions to.
func TestDeletionsOutliveAThrottledList(t *testing.T) {
	f, g, _ := opened(t, confirmAtOnce+4)
	ids := make([]string, 0, len(f.vms))
	for n := range f.vms {
		ids = append(ids, f.id(n))
	}
	f.failNext(opList, fault{err: azure(armerr.Throttled, 429)})
	done, err := g.Decrease(t.Context(), ids)
	require.NoError(t, err)
	assert.NotEmpty(t, done)
	done, err = g.Decrease(t.Context(), ids)
	require.NoError(t, err)
	assert.Len(t, done, len(ids))
}

// TestBelievedDeletions are forgotten when a list bears them out.
func TestBelievedDeletions(t *testing.T) {
	alive := vmss.Instance{Name: "ci_1", VMID: "12345678-aaaa", ProvisioningState: "Succeeded"}
	id := identify(alive)
	going := alive
	going.ProvisioningState = "Deleting"
	for name, c := range map[string]struct {
		after  time.Duration
		listed []vmss.Instance
		alive  []string
		left   int
	}{
		"an outdated list":           {2*time.Minute - 1, []vmss.Instance{alive}, nil, 1},
		"alive":                      {2 * time.Minute, []vmss.Instance{alive}, []string{id}, 0},
		"on its way":                 {2 * time.Minute, []vmss.Instance{going}, nil, 1},
		"gone":                       {time.Second, nil, nil, 0},
		"a list from before its end": {-time.Second, nil, nil, 1},
	} {
		d := newDeletions()
		d.record([]string{id}, "", start)
		d.accepted[id].ended = start
		d.believe([]string{id}, start)
		require.False(t, d.has(id), name)
		assert.Equal(t, c.alive, d.contradicted(listing{at: start.Add(c.after), instances: c.listed}), name)
		assert.Len(t, d.believed, c.left, name)
		assert.Equal(t, c.alive != nil, d.mustRetry(&Member{MemberID: id}, start), name)
	}
}

// TestShortListsProveNothing: two lists that lack an instance whose deletion Azure
// accepted may be truncated both, or of an identity that may read none, while Azure gave
// the deletion up in favour of a later one. Where lists are short there is room to ask.
func TestShortListsProveNothing(t *testing.T) {
	f, g, clock := opened(t, 3)
	id, vmID := f.id(1), f.vms[1].VMID
	f.endless = true
	_, err := g.Decrease(t.Context(), []string{id})
	require.NoError(t, err)
	f.change(func() { f.hidden[vmID] = true })
	asked := f.count(opGet)
	for range 3 {
		clock.pass(5 * time.Second)
		assert.Equal(t, Deleting, refreshed(t, g).Find(id).State)
		assert.Equal(t, asked, f.count(opGet), "the operation will tell")
	}
	clock.pass(followedFirst)
	assert.NotNil(t, refreshed(t, g).Find(id))
	assert.Equal(t, asked+1, f.count(opGet))
	clock.pass(abandonAfter)
	v, err := g.Observe(t.Context())
	require.NoError(t, err)
	assert.NotNil(t, v.Find(id), "nobody knows how an abandoned operation has ended")
	f.evict(1)
	assert.Nil(t, refreshed(t, g).Find(id))
}

// TestFailedReadingsProveNothing: what a list lacked counts for nothing where the reading
// failed later; so had it, the instance would be hidden for as long as one that is gone.
func TestFailedReadingsProveNothing(t *testing.T) {
	f, g, clock := opened(t, 3)
	id := f.id(1)
	_, err := g.Decrease(t.Context(), []string{id})
	require.NoError(t, err)
	back := slices.Clone(f.vms)
	f.finish()
	f.change(func() { f.hidden[f.vms[0].VMID] = true })
	f.failNext(opGet, fault{err: azure(armerr.Forbidden, 403)})
	clock.pass(2 * pollInterval)
	_, err = g.Observe(t.Context())
	require.Error(t, err)

	f.change(func() { f.vms = back; clear(f.hidden) })
	assert.NotNil(t, refreshed(t, g).Find(id))
}

// TestListsContradictEachOther: where lists are long and yet plentiful, two that lack an
// instance prove that it is gone. When it is listed again it is deleted again: a later
// deletion may have undone the first.
func TestListsContradictEachOther(t *testing.T) {
	f, g, clock := opened(t, 8)
	id, vmID := f.id(1), f.vms[1].VMID
	f.change(func() { f.pageSize = 1 })
	refreshed(t, g) // of one page it was short
	f.endless = true
	_, err := g.Decrease(t.Context(), []string{id})
	require.NoError(t, err)
	f.change(func() { f.hidden[vmID] = true })
	for range 2 {
		clock.pass(time.Minute)
		refreshed(t, g)
	}
	require.Nil(t, g.last().Find(id))

	f.change(func() { f.hidden[vmID] = false })
	f.each(func(i *vmss.Instance) bool {
		i.ProvisioningState = "Succeeded"
		return true
	})
	clock.pass(disbelief)
	v := refreshed(t, g)
	require.NotNil(t, v.Find(id))
	assert.Equal(t, Deleting, v.Find(id).State)
	require.NoError(t, g.Reap(t.Context(), v))
	assert.Len(t, f.sent, 2)
}
