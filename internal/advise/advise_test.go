package advise

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

func TestGoals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Input)
		name   string
		toml   string
		missed string
	}{
		"cheaper than the sample": {func(*Input) {}, "idle 0, one use", "idle_count = 0\n", ""},
		"target":                  {func(in *Input) { in.Target = Target{"p95", 41 * time.Second} }, "* 8-", "preemptive_mode = false", ""},
		"warm pool":               {func(in *Input) { in.Target, in.Pools = Target{"p95", 40 * time.Second}, []int{2, 5} }, "warm pool of 5", "", "takes quota and Azure's stock"},
		"impossible":              {func(in *Input) { in.Target = Target{"mean", time.Second} }, "", "", "no policy that was tried reaches mean=1s"},
		"budget":                  {func(in *Input) { in.Budget, in.Price = 730*0.1*2.4, 0.1 }, "", "", ""},
		"no budget":               {func(in *Input) { in.Budget, in.Price, in.Currency = 1, 0.1, "EUR" }, "idle 0, one use", "", "no policy costs as little as 1 EUR a month"},
	} {
		in := input()
		c.change(in)
		a, err := Search(t.Context(), in, &theory{})
		require.NoError(t, err, name)
		require.NotNil(t, a.Pick, name)
		assert.Contains(t, a.Pick.Name(), c.name, name)
		assert.Contains(t, a.Pick.TOML(), c.toml, name)
		assert.Equal(t, 1+extraSeeds, a.Pick.Seeds, name)
		assert.Contains(t, strings.Join(a.Notes, "\n"), c.missed, name)
		if in.Budget > 1 {
			assert.LessOrEqual(t, in.MonthlyCost(a.Pick, a.Pick.Test), in.Budget)
			assert.Positive(t, a.Pick.Policies[len(a.Pick.Policies)-1].IdleCount)
		}
	}
}

// TestThePolicyInUse is always among the rows, compared with, and may be the pick.
func TestThePolicyInUse(t *testing.T) {
	t.Parallel()
	in := input()
	in.Current = []sim.Policy{{IdleCount: 9, IdleTime: time.Hour, Preemptive: true}}
	a, err := Search(t.Context(), in, &theory{})
	require.NoError(t, err)
	assert.True(t, a.Baseline.Current)
	assert.Contains(t, a.Rows, a.Baseline)
	assert.Contains(t, a.Why, "in preemptive mode")
	assert.Contains(t, a.Why, "they get 9 VMs a boot")

	in.Current = []sim.Policy{{IdleTime: 0}}
	a, err = Search(t.Context(), in, &theory{})
	require.NoError(t, err)
	assert.InDelta(t, 1, a.Pick.Test.PerJobHour, 0.01, "there is nothing cheaper")
}

func TestWellKnownPoliciesAreRows(t *testing.T) {
	t.Parallel()
	in := input()
	in.Fleet.MaxUseCount = 7
	a, err := Search(t.Context(), in, &theory{})
	require.NoError(t, err)
	for _, want := range references() {
		found := false
		for _, c := range a.Rows {
			found = found || c.Label == want.Label && c.MaxUseCount == want.MaxUseCount
		}
		assert.True(t, found, want.Label)
	}
	assert.Equal(t, 7, a.Pick.MaxUseCount, "it is kept as it is")
	assert.Empty(t, a.Pick.Label)
}

// TestInterrupted: the best so far is of a week, and once something was played with all
// jobs, of all.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	in := input()
	in.Workers = 1
	a, err := Search(ctx, in, &theory{end: cancel, endAt: 8})
	require.NoError(t, err)
	assert.True(t, a.Interrupted)
	assert.Contains(t, a.Notes[0], "interrupted: this is the best of the 8 policies that were simulated so far, and that with the jobs of 4.4 days only")
	assert.True(t, a.SameDays())
	assert.Len(t, a.Input.Jobs, 400, "a week of bursts")
	assert.Equal(t, references()[0].Label, a.Baseline.Label)
	assert.Contains(t, a.Pick.Name(), "idle 0", "which 8 tries have among them")
	assert.Len(t, a.Waits(a.Pick), 400)

	_, err = Search(ctx, in, &theory{})
	require.ErrorIs(t, err, context.Canceled)
	full := &theory{}
	_, err = Search(t.Context(), in, full)
	require.NoError(t, err)
	for at, want := range map[int]string{full.plays - 2*2 - 12: "with the jobs of 4.4 days only", full.plays - 2*2 - 1: "simulated with all jobs so far"} {
		ctx, cancel := context.WithCancel(t.Context())
		a, err = Search(ctx, in, &theory{end: cancel, endAt: at})
		require.NoError(t, err)
		assert.Contains(t, a.Notes[0], want, "after %d of %d", at, full.plays)
		assert.Equal(t, a.SameDays(), len(a.Input.Jobs) == 400)
	}
	broken := errors.New("broken")
	_, err = Search(t.Context(), in, &theory{errors: broken})
	require.ErrorIs(t, err, broken)
}

func TestProgress(t *testing.T) {
	t.Parallel()
	in := input()
	last, least := 0, 1<<30
	in.Progress = func(done, total int) {
		assert.Greater(t, done, last)
		assert.LessOrEqual(t, done, total)
		last, least = done, min(least, total)
	}
	p := &theory{}
	_, err := Search(t.Context(), in, p)
	require.NoError(t, err)
	assert.Equal(t, p.plays, last)
	assert.LessOrEqual(t, last, least+finalists, "the total was nearly known from the start")
	assert.LessOrEqual(t, p.seeds[1], 50)
	for setting, times := range p.played {
		assert.Equal(t, 1, times, setting)
	}
}

// TestUnique: what plays alike is played once, under the name that people know.
func TestUnique(t *testing.T) {
	t.Parallel()
	now := &Candidate{Policies: references()[0].Policies, MaxUseCount: 1, Current: true}
	pool := &Candidate{Policies: references()[0].Policies, MaxUseCount: 1, WarmPool: 2}
	assert.Equal(t, []*Candidate{now, pool}, unique([]*Candidate{now, references()[0], pool}))
	assert.Equal(t, references()[0].Label, now.Label)
}

// TestTheLastThirdIsNotSeen by the choice, and is what is reported.
func TestTheLastThirdIsNotSeen(t *testing.T) {
	t.Parallel()
	in := input()
	in.Target = Target{"p95", 70 * time.Second}
	a, err := Search(t.Context(), in, &theory{late: 1000})
	require.NoError(t, err)
	assert.Contains(t, a.Pick.Name(), "idle 0")
	assert.Equal(t, []time.Duration{61 * time.Second, 1061 * time.Second}, []time.Duration{a.Pick.Train.P95, a.Pick.Test.P95})
	assert.Contains(t, strings.Join(a.Notes, "\n"), "the last third was worse than what the policy was chosen by (p95 1061 s instead of 61 s)")
}

func TestTooFewJobs(t *testing.T) {
	t.Parallel()
	old := append([]job{{Arrives: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)}}, theLoad...)
	for _, all := range [][]job{nil, theLoad[:20], theLoad[:60], old} {
		in := input()
		in.Jobs = all
		_, err := Search(t.Context(), in, &theory{})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "\n")
	}
}

// TestShortHistoryHasNoSchedule, nor one without dates.
func TestSchedules(t *testing.T) {
	t.Parallel()
	b, ok := busyTimeOf(theLoad, time.UTC)
	require.True(t, ok)
	assert.Equal(t, "* 8-15 * * mon-fri", b.period(), "the fewest hours with four fifths of the jobs")
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	b, _ = busyTimeOf(theLoad, berlin)
	assert.Contains(t, []int{9, 10}, b.first, "an hour or two later there")
	_, ok = busyTimeOf(poissonLoad(), time.UTC)
	assert.False(t, ok, "a load without a rhythm has no schedule")

	s := &search{in: input(), spans: (&Input{Jobs: theLoad}).spans()}
	s.chooseSlice()
	assert.Less(t, s.slice[1], len(theLoad)*3/4, "the coarse tries do not see the last third, either")
	assert.Len(t, s.schedules(nil), 3)
	s.in.Relative = true
	assert.Empty(t, s.schedules(nil))
}

func poissonLoad() (all []job) {
	random := rand.New(rand.NewPCG(1, 1))
	at := monday
	for range 5000 {
		at = at.Add(time.Duration(random.ExpFloat64() * float64(10*time.Minute)))
		all = append(all, job{Arrives: at})
	}
	return all
}

// TestWhy: the sentence is about what the load is like.
func TestWhy(t *testing.T) {
	t.Parallel()
	one := &Candidate{Policies: []sim.Policy{{IdleCount: 1}}}
	a := &Advice{Input: input(), Pick: one, Baseline: one, Burst: 2, CommonBurst: 1}
	assert.Equal(t, "most jobs come alone, with at most 2 within a boot (1m0s); 1 idle instances serve the first at once, and the others get theirs in one boot", a.why())
	a.Input.Fleet.Resume.Median = 35 * time.Second
	a.Pick = &Candidate{Policies: one.Policies, WarmPool: 4}
	assert.Contains(t, a.why(), "in one boot; 4 starts at a time take 35s, from the warm pool")
	a.Burst, a.CommonBurst = 40, 15
	a.Pick = &Candidate{Policies: []sim.Policy{{}}}
	a.Baseline = &Candidate{Policies: []sim.Policy{{IdleCount: 5, Preemptive: true}}, Label: "sample"}
	assert.Equal(t, `bursts of up to 40 jobs arrive within a boot (1m0s), and half of all jobs come in bursts of 15 or more; in preemptive mode, as in "sample", they get 5 VMs a boot, and here all that they need`, a.why())
}

func TestBurstsAndPeak(t *testing.T) {
	t.Parallel()
	all := workdays(5, 8)
	assert.Equal(t, 8, largestBurst(all, time.Minute))
	assert.Equal(t, 8, typicalBurst(all, time.Minute))
	assert.GreaterOrEqual(t, peak(all), 8)
}

func TestNames(t *testing.T) {
	t.Parallel()
	c := &Candidate{Policies: []sim.Policy{{IdleTime: 90 * time.Second}, {Periods: []string{"* 8-17 * * mon-fri"}, Timezone: "Europe/Berlin", IdleCount: 4, IdleTime: time.Hour, Preemptive: true}}}
	assert.Equal(t, "idle 0 for 1m30s; * 8-17 * * mon-fri: idle 4 for 1h, preemptive", c.Name())
	assert.Equal(t, `[[runners.autoscaler.policy]]
  idle_count = 0
  idle_time = "1m30s"
[[runners.autoscaler.policy]]
  periods = ["* 8-17 * * mon-fri"]
  timezone = "Europe/Berlin"
  idle_count = 4
  idle_time = "1h0m0s"
  preemptive_mode = true
`, c.TOML())
}

func TestJSON(t *testing.T) {
	t.Parallel()
	a, err := Search(t.Context(), input(), &theory{})
	require.NoError(t, err)
	text, err := json.Marshal(a)
	require.NoError(t, err)
	var out struct {
		Policies []struct {
			Name string
			Pick bool
		}
		Pick map[string]any
		TOML string
	}
	require.NoError(t, json.Unmarshal(text, &out))
	assert.Len(t, out.Policies, len(a.Rows))
	assert.Equal(t, a.Pick.Name(), out.Pick["name"])
	assert.Equal(t, a.Pick.TOML(), out.TOML)
}
