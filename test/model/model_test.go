// Package model_test drives the plugin through random sequences of events.
package model_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/lifeline"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// sequences is how many TestModel runs in all, the same ones each time. With
// -rapid.checks it runs so many, and draws others each time, as `make model` and
// the pipeline's job "model" do.
var sequences = 400

// seed is that of the same sequences.
const seed = "20261125"

// TestModel drives the plugin, under fleeting's own provisioner, against the
// simulator: random demand, jobs, faults, evictions, other managers, crashes and
// restarts. The guarantees are checked with every request and every response, and
// in the end that all comes right once the faults stop. Each sequence lives in a
// bubble of its own time.
func TestModel(t *testing.T) {
	defer shareChecks(t, 2)()
	lifeline.Watch(t.Context(), lifeline.Options{}, func(reason string) { t.Error(reason) }) // as the plugin's process has it
	t.Run("modes", func(t *testing.T) {
		for _, mode := range []string{"Uniform", "Flexible"} {
			t.Run(mode, func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(r *rapid.T) {
					p := drawPlan(r, mode)
					var err error
					synctest.Test(t, func(*testing.T) { err = p.run() })
					if err != nil {
						r.Fatalf("%s\n%v", p, err)
					}
				})
			})
		}
	})
}

// shareChecks parts the number of sequences among tests, and fixes the seed unless
// that number was given, until what it returns is called. No other test runs
// meanwhile, as this one is not parallel to any.
func shareChecks(t *testing.T, tests int) func() {
	t.Helper()
	all, fixed := sequences, seed
	flag.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "rapid.checks":
			all, _ = strconv.Atoi(f.Value.String()) // the flag's own parser let it pass
			fixed = flag.Lookup("rapid.seed").Value.String()
		case "rapid.seed":
			fixed = f.Value.String()
		}
	})
	return setFlags(t, map[string]string{"rapid.checks": strconv.Itoa(max(1, all/tests)), "rapid.seed": fixed})
}

func setFlags(t *testing.T, values map[string]string) (restore func()) {
	t.Helper()
	before := map[string]string{}
	for name, value := range values {
		before[name] = flag.Lookup(name).Value.String()
		require.NoError(t, flag.Lookup(name).Value.Set(value))
	}
	return func() {
		for name, value := range before {
			require.NoError(t, flag.Lookup(name).Value.Set(value))
		}
	}
}

// plan is a sequence: it is drawn as a whole, as nothing may be drawn inside of
// a bubble, and written out when it fails.
type plan struct {
	config armsim.Config
	spec   armsim.ScaleSetSpec
	more   []armsim.ScaleSetSpec // further scale sets of the runner
	poll   time.Duration
	max    int
	graph  bool // the plugin uses Resource Graph
	own    bool // it logs in with a key of its own
	warm   int  // warm_pool_size
	steps  []step
}

type step struct {
	do     string
	n      int
	wait   time.Duration // afterwards
	faults []armsim.Fault
}

func (p plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, max %d, warm %d, poll %s, pages of %d, parallel writes: %s, own key: %t, graph: %t (%t, %s), %+v, %+v, %+v\n",
		p.config.Seed, p.max, p.warm, p.poll, p.config.PageSize, p.config.ParallelWrites, p.own, p.graph, p.config.ResourceGraph, p.config.GraphLag, p.config.Unknowns, p.spec, p.more)
	for _, s := range p.steps {
		fmt.Fprintf(&b, "%s %d", s.do, s.n)
		for _, f := range s.faults {
			fmt.Fprintf(&b, " %s", f.Name)
		}
		fmt.Fprintf(&b, ", wait %s\n", s.wait)
	}
	return b.String()
}

var verbs = []string{
	"request", "request", "request", "finish", "finish", "fault", "fault", "fault", "fault", "fault", "fault",
	"rush", "kill", "evict", "deallocate", "remove", "raise", "tag", "crash", "crash in PATCH", "crash in POST", "clear",
	"replace", "hide", "undeletable", "overlap", "SIGHUP", "stock", "cut off", "rotate", "foreign key",
	"suspend", "suspend", "resume", "nap", "nap", "crash in PUT",
}

func drawPlan(r *rapid.T, mode string) plan {
	p := plan{
		config: armsim.Config{
			Seed: rapid.Uint64Min(1).Draw(r, "seed"), PageSize: rapid.SampledFrom([]int{3, 10, 50}).Draw(r, "page"), Throttle: true,
			ParallelWrites: rapid.SampledFrom([]string{"queue", "conflict", "preempt"}).Draw(r, "parallel writes"),
		},
		spec: armsim.ScaleSetSpec{
			OrchestrationMode: mode, Priority: "Spot", EvictionPolicy: rapid.SampledFrom([]string{"Delete", "Deallocate"}).Draw(r, "eviction"),
			Capacity: rapid.IntRange(0, 2).Draw(r, "capacity"),
		},
	}
	// fleeting's two seconds cost most of the time that a sequence takes.
	p.poll = time.Duration(rapid.SampledFrom([]int{2, 10, 15, 20}).Draw(r, "poll")) * time.Second
	p.max = rapid.SampledFrom([]int{8, 8, 8, 8, 24}).Draw(r, "max") // 12 writes are less than Azure takes at once
	p.warm = rapid.SampledFrom([]int{0, 0, 2, 3}).Draw(r, "warm")
	p.config.Polite = rapid.Bool().Draw(r, "polite")
	p.graph, p.config.ResourceGraph = rapid.Bool().Draw(r, "graph"), rapid.IntRange(0, 3).Draw(r, "given") > 0
	p.own = rapid.Bool().Draw(r, "own key")
	p.config.GraphLag = rapid.SampledFrom([]time.Duration{5 * time.Second, time.Minute}).Draw(r, "lag")
	if rapid.Bool().Draw(r, "two scale sets") {
		p.more = []armsim.ScaleSetSpec{{
			Name: second, OrchestrationMode: rapid.SampledFrom([]string{"Uniform", "Flexible"}).Draw(r, "mode of the second"), Capacity: rapid.IntRange(0, 2).Draw(r, "capacity of the second"),
		}}
	}
	if p.own {
		p.spec.PublicKey = rig.OthersKey
		for i := range p.more {
			p.more[i].PublicKey = rig.OthersKey
		}
	}
	drawUnknowns(r, &p.config.Unknowns)
	p.steps = rapid.SliceOfN(rapid.Custom(drawStep), 1, 12).Draw(r, "steps")
	p.steps = slices.DeleteFunc(p.steps, p.isHopeless)
	return p
}

// isHopeless reports whether nobody can keep a guarantee: where a creation never ends,
// and what runs refuses all else; and where a capacity from before a write comes under
// the ETag from after it, which Azure has never been seen to do, and nothing else tells
// what the capacity is.
func (p plan) isHopeless(s step) bool {
	if len(s.faults) == 0 {
		return false
	}
	return p.config.ParallelWrites == armsim.ParallelConflict && s.faults[0].Stuck || s.faults[0].FreshETag && p.hidesCapacity()
}

// hidesCapacity reports whether the plugin cannot know the least that the capacity may
// be: a process that has just been started knows of no write, and accepted deletions
// need not have lowered it.
func (p plan) hidesCapacity() bool {
	u := p.config.Unknowns
	return p.config.ParallelWrites == armsim.ParallelPreempt || u.CapacityFallsLate || u.CapacityFallsUnseen ||
		slices.ContainsFunc(p.steps, func(s step) bool {
			return strings.HasPrefix(s.do, "crash") || s.do == "undeletable" || len(s.faults) > 0 && s.faults[0].Operation == "instance.delete"
		})
}

// drawUnknowns draws Azure's answers to what no document says; the usual one to most
// questions.
func drawUnknowns(r *rapid.T, u *armsim.Unknowns) {
	u.NumbersReused = rapid.Bool().Draw(r, "numbers reused")
	u.DeleteKeepsETag = rapid.Bool().Draw(r, "delete keeps ETag")
	for _, unknown := range []*bool{
		&u.DeadIDsIgnored, &u.CapacityFallsLate, &u.CapacityFallsUnseen, &u.GoneIsInvalidParameter, &u.EvictionFailsInstance,
		&u.ExpandedListWithoutModel, &u.DeleteSharesUpdateBucket, &u.PatchDrawsFromActions, &u.ProtectionCoversNamed, &u.InstanceTagsRefused, &u.InstanceTagsKept, &u.FailedStartFailsInstance, &u.FlexibleBatchPowerRefused,
	} {
		*unknown = rapid.IntRange(0, 5).Draw(r, "unknown") == 5
	}
}

func drawStep(r *rapid.T) step {
	s := step{
		do: rapid.SampledFrom(verbs).Draw(r, "do"), n: rapid.IntRange(1, 4).Draw(r, "n"),
		wait: time.Duration(rapid.SampledFrom([]int{0, 1, 5, 20, 60, 120}).Draw(r, "wait")) * time.Second,
	}
	if s.do == "fault" {
		f := rapid.SampledFrom(faults.All).Draw(r, "fault")
		f.Times = s.n
		f.Skip = rapid.IntRange(0, 2).Draw(r, "skip")
		s.faults = []armsim.Fault{f}
	}
	return s
}

// run lives the sequence through, and then a time without faults.
func (p plan) run() (err error) {
	b, err := rig.NewBubble(p.config, p.spec, p.more...)
	if err != nil {
		return err
	}
	b.Poll, b.MaxInstances, b.PluginConfig = p.poll, p.max, map[string]any{"use_resource_graph": p.graph}
	if p.config.Unknowns.DeleteSharesUpdateBucket {
		b.Invariants.AllowThrottling() // by a limit that the plugin cannot know
	}
	if p.own {
		dir, err := os.MkdirTemp("", "own-key-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		b.KeyFile = filepath.Join(dir, "id")
	}
	b.Warm = p.warm
	m := model{b}
	if err := b.Start(); err != nil {
		return err
	}
	defer b.Close()
	for n, s := range p.steps {
		if err := m.step(s); err != nil {
			return fmt.Errorf("step %d, %s: %w", n+1, s.do, err)
		}
	}
	return m.Converge()
}

type model struct{ *rig.Bubble }

func (m *model) step(s step) error {
	name := func() string { return m.InstanceName(s.n) }
	switch s.do {
	case "request":
		m.Provisioner.Request(s.n)
	case "finish":
		m.FinishJobs(s.n)
	case "suspend":
		m.Suspend(s.n)
	case "resume":
		m.Resume(s.n)
	case "nap":
		return m.nap(s.n)
	case "rush":
		m.rush()
	case "fault":
		m.MayBeAbsent = m.MayBeAbsent || s.faults[0].Absent != nil
		m.OperationsLie = m.OperationsLie || s.faults[0].FailOperation != nil || s.faults[0].FreshETag
		if err := m.Sim.AddFaults(s.faults...); err != nil {
			return err
		}
	case "clear":
		m.Sim.ClearFaults()
	case "kill":
		m.TryDisrupt(name(), m.Sim.Kill)
	case "evict":
		m.TryDisrupt(name(), m.Sim.Evict)
	case "deallocate":
		m.TryDisrupt(name(), m.Sim.Deallocate)
	case "remove":
		m.TryDisrupt(name(), m.Sim.Remove)
	case "raise":
		if m.Sim.Raise(rig.ScaleSetName, 1) == nil { // a refusal is none of the plugin's business
			m.External++
		}
	case "tag":
		_ = m.Sim.Tag(rig.ScaleSetName, "cost-centre", fmt.Sprint(s.n))
	case "replace":
		m.MayBeAbsent, m.OperationsLie = true, true // with it goes what was accepted
		return m.Replace([]string{"Uniform", "Flexible"}[s.n%2], s.n/2)
	case "hide":
		return m.hide()
	case "stock":
		return m.stock(s.n)
	case "cut off":
		return m.cutOffFor(s.n)
	case "undeletable":
		return m.Sim.AddFaults(faults.Times(faults.WithEffect("undeletable", "instance.delete", armsim.Effect{Fail: &armsim.Failure{Code: "InternalExecutionError"}}), 3*s.n))
	case "overlap":
		return m.overlap(s.n)
	case "rotate":
		if err := m.Rotate(); err != nil {
			return err
		}
	case "foreign key":
		m.ReplaceKeys()
	case "SIGHUP":
		return hangUp()
	case "crash":
		m.Crash()
	case "crash in PATCH", "crash in POST", "crash in PUT":
		m.Conn.DieDuring(strings.TrimPrefix(s.do, "crash in "))
	}
	time.Sleep(s.wait)
	if err := m.Revive(); err != nil {
		return err
	}
	return errors.Join(m.Invariants.Err(), m.Surplus(), m.Logins())
}
