package instancegroup

import (
	"context"
	"flag"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// machine drives a group and its scale set at random.
type machine struct {
	f         *fake
	g         *Group
	clock     *clock
	view      *View
	requested map[string]bool      // vmIds that the runner asked to delete
	died      map[string]bool      // vmIds of those that lost their power
	booted    map[string]bool      // vmIds of those that came up
	born      map[string]time.Time // by vmId
	vmIDs     map[string]string    // by member ID, all ever seen
	known     map[string]bool      // member IDs that the runner knows
	reported  int                  // sum of accepted increases
	inexact   bool                 // accepted and made instances differ in number

	mayDiffer bool // a response was lost, or a list was wrong
}

func newMachine(t *rapid.T) *machine {
	m := &machine{f: newFake(3), requested: map[string]bool{}, died: map[string]bool{}, booted: map[string]bool{}, born: map[string]time.Time{}, vmIDs: map[string]string{}, known: map[string]bool{}, view: &View{}}
	m.f.reuse = rapid.Bool().Draw(t, "numbers are used again")
	if rapid.Bool().Draw(t, "flexible") {
		m.f.set.Mode, m.f.reuse = "Flexible", false // names of VMs are not
		m.f.bare = rapid.Bool().Draw(t, "lists hold no models")
	}
	m.g, m.clock = m.f.open(t)
	return m
}

// sequences is how many TestProperties runs, unless -rapid.checks says otherwise:
// faults of the past took between 700 and 22,000 to be found. They are the same
// each time; with -rapid.checks others are drawn.
var sequences = 25_000

// runChecks sets the number of sequences, and fixes the seed unless either was
// given, until what it returns is called.
func runChecks(t *testing.T, n int) func() {
	t.Helper()
	checks, seed := flag.Lookup("rapid.checks").Value, flag.Lookup("rapid.seed").Value
	beforeChecks, beforeSeed := checks.String(), seed.String()
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["rapid.checks"] {
		require.NoError(t, checks.Set(strconv.Itoa(n)))
		if !given["rapid.seed"] {
			require.NoError(t, seed.Set("20261125"))
		}
	}
	return func() {
		require.NoError(t, checks.Set(beforeChecks))
		require.NoError(t, seed.Set(beforeSeed))
	}
}

// TestProperties interleaves the runner, Azure and other writers (F1, F3, F6, F8,
// F17, F25, F34).
func TestProperties(t *testing.T) {
	defer runChecks(t, sequences)()
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		t.Repeat(map[string]func(*rapid.T){
			"":         m.check,
			"increase": m.increase,
			"decrease": m.decrease,
			"refresh":  m.refresh,
			"reap":     m.reap,
			"fault":    m.fault,
			"restart":  m.restart,
			"foreign":  func(t *rapid.T) { m.f.foreign(m.f.set.Capacity + rapid.Int64Range(0, 2).Draw(t, "more")) },
			"boot":     func(*rapid.T) { m.f.boot() },
			"finish":   func(*rapid.T) { m.f.finish() },
			"wait":     func(*rapid.T) { m.clock.pass(goneMemory / 3) },
			"evict":    func(t *rapid.T) { m.one(t, func(n int) { m.f.evict(n) }) },
			"stop":     func(t *rapid.T) { m.one(t, m.stop) },
			"hide":     m.hide,
			"blank":    func(t *rapid.T) { m.mark(t, m.f.blank) },
		})
	})
}

func (m *machine) one(t *rapid.T, do func(int)) {
	var alive []int
	for n, i := range m.f.vms {
		if i.ProvisioningState != "Deleting" {
			alive = append(alive, n)
		}
	}
	if len(alive) > 0 {
		do(rapid.SampledFrom(alive).Draw(t, "which"))
	}
}

func (m *machine) stop(n int) {
	m.f.vm(n, func(i *vmss.Instance) {
		i.ProvisioningState, i.PowerState = "Succeeded", "stopped"
		m.died[i.VMID] = true
	})
}

// mark makes lists skip an instance, or responses lack its vmId, or ends that.
func (m *machine) mark(t *rapid.T, set map[string]bool) {
	m.one(t, func(n int) { set[m.f.vms[n].VMID] = !set[m.f.vms[n].VMID] })
}

// hide makes lists skip an instance: its part of the capacity looks unfilled.
func (m *machine) hide(t *rapid.T) {
	m.mark(t, m.f.hidden)
	m.mayDiffer, m.inexact = true, true
}

func (m *machine) fault(t *rapid.T) {
	op := rapid.SampledFrom([]string{opSet, opList, opGet, opInterfaces, opWrite, opDelete}).Draw(t, "operation")
	f := rapid.SampledFrom([]fault{
		{err: azure(armerr.Precondition, 412)}, {err: azure(armerr.Throttled, 429)}, {err: azure(armerr.Transient, 500)},
		{err: azure(armerr.Network, 0)}, {err: azure(armerr.Network, 0), took: true}, {err: azure(armerr.InstanceGone, 400)},
	}).Draw(t, "fault")
	if op == opGet && armerr.Is(f.err, armerr.InstanceGone) {
		return // that would be a lie about an instance that lives
	}
	m.f.failNext(op, f)
	// After a write of unknown outcome somebody else's increase to the same
	// capacity counts as ours. That is harmless: there are as many new instances
	// as were accepted, and whose they are makes no difference.
	m.mayDiffer = m.mayDiffer || f.took || op == opWrite && armerr.MayHaveTakenEffect(f.err)
}

func (m *machine) increase(t *rapid.T) {
	n := rapid.IntRange(0, 3).Draw(t, "n")
	before := m.f.grown
	accepted, err := m.g.Increase(context.Background(), n)
	require.True(t, err == nil || accepted == 0)
	require.LessOrEqual(t, accepted, n)
	m.reported += accepted
	grown := m.f.grown - before
	require.LessOrEqual(t, grown, n, "nothing is created twice for one demand")
	if accepted != grown {
		require.True(t, m.mayDiffer, "%d accepted, %d made", accepted, grown)
		m.inexact = true
	}
}

func (m *machine) decrease(t *rapid.T) {
	var all []string
	for id := range m.known {
		all = append(all, id)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return
	}
	ids := rapid.SliceOfN(rapid.SampledFrom(all), 0, 3).Draw(t, "ids")
	for _, id := range ids {
		m.requested[m.vmIDs[id]] = true
	}
	done, _ := m.g.Decrease(context.Background(), ids)
	for _, id := range done {
		require.Contains(t, ids, id)
		require.False(t, m.lives(m.vmIDs[id]), "%s is done and yet lives", id)
	}
}

// lives reports whether an instance exists, with its deletion not even accepted.
func (m *machine) lives(vmID string) bool {
	return slices.ContainsFunc(m.f.vms, func(i vmss.Instance) bool { return i.VMID == vmID && i.ProvisioningState != "Deleting" })
}

func (m *machine) refresh(t *rapid.T) {
	before := m.g.last()
	v, err := m.g.Refresh(context.Background())
	if err != nil {
		require.Equal(t, before.At, m.g.last().At, "the pages of a list that failed show more, but end nothing")
		v = m.g.last()
	}
	for _, old := range before.Members {
		found := v.Find(old.MemberID)
		require.False(t, found == nil && m.lives(old.VMID), "%s lives and is missing", old.MemberID)
		require.True(t, found != nil || slices.Contains(v.Gone, old.MemberID), "%s went unreported", old.MemberID)
	}
	for _, id := range v.Gone {
		require.Nil(t, v.Find(id))
	}
	m.view = v
}

func (m *machine) reap(*rapid.T) {
	_ = m.g.Reap(context.Background(), m.view)
}

// restart is the process killed: all that it remembered is lost, and what the
// runner knows of it, for the runner then begins anew.
func (m *machine) restart(t *rapid.T) {
	m.f.faults = map[string][]fault{}
	m.g, m.clock = m.f.open(t)
	m.view, m.known = &View{}, map[string]bool{}
}

// noteTimeouts counts those as dead that had not come up in time when the runner
// was told so, whatever becomes of them later.
func (m *machine) noteTimeouts() {
	for _, member := range m.g.last().Members {
		late := m.clock.now().Sub(m.born[member.VMID]) >= DefaultCreationLimit && !m.booted[member.VMID]
		m.died[member.VMID] = m.died[member.VMID] || late && member.State == Dead
	}
	for _, i := range m.f.vms {
		if _, seen := m.born[i.VMID]; !seen {
			m.born[i.VMID] = m.clock.now()
		}
		m.booted[i.VMID] = m.booted[i.VMID] || i.PowerState == "running"
	}
}

func (m *machine) check(t *rapid.T) {
	require.False(t, m.f.lowered, "a write lowered the capacity")
	m.noteTimeouts()
	for _, vmID := range m.f.deleted {
		require.True(t, m.requested[vmID] || m.died[vmID], "%s was deleted, and nobody asked for it", vmID)
	}
	require.True(t, m.inexact || m.reported == m.f.grown)
	var before string
	for _, member := range m.g.last().Members {
		require.Less(t, before, member.MemberID)
		before = member.MemberID
		vmID, seen := m.vmIDs[member.MemberID]
		require.True(t, !seen || vmID == member.VMID, "%s names two machines", member.MemberID)
		m.vmIDs[member.MemberID], m.known[member.MemberID] = member.VMID, true
	}
}
