package sim

import (
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
)

func TestMain(m *testing.M) {
	Child()
	os.Exit(m.Run())
}

var monday = time.Date(2026, time.March, 23, 0, 0, 0, 0, time.UTC) // summer time begins on the Sunday after it

// oneUse is a fleet as the theory has it.
func oneUse(policies ...Policy) Setting {
	return Setting{Policies: policies, Seed: 1, Fleet: Fleet{
		MaxUseCount: 1, MaxInstances: 1000, Boot: Duration{time.Minute, 0.3}, Deletion: Duration{Median: 30 * time.Second},
	}}
}

// burst is jobs that arrive at once.
func burst(n int, lasts time.Duration) (all []jobs.Job) {
	for range n {
		all = append(all, jobs.Job{Arrives: monday, Lasts: lasts})
	}
	return all
}

// poisson is jobs that arrive by chance.
func poisson(n int, gap, lasts time.Duration) (all []jobs.Job) {
	random := rand.New(rand.NewPCG(1, 1))
	at := monday
	for range n {
		at = at.Add(time.Duration(random.ExpFloat64() * float64(gap)))
		all = append(all, jobs.Job{Arrives: at, Lasts: lasts})
	}
	return all
}

// raced reports whether the race detector is on.
var raced bool

// run is not for the race detector, which finds one in the scaler: a new instance's
// preparation reads what an expired one's removal writes (taskscaler of 2025-02-19,
// internal/instance.go, lines 355 and 473).
func run(t *testing.T, s Setting, all []jobs.Job) (r *Result) {
	t.Helper()
	if raced {
		t.Skip("the scaler itself has a data race")
	}
	synctest.Test(t, func(t *testing.T) {
		var err error
		r, err = Run(s, all)
		require.NoError(t, err)
	})
	return r
}

func whole(r *Result, all []jobs.Job) Figures {
	return r.Figures(all, r.Start, r.Start.Add(1000*time.Hour))
}

// TestOneBootForEachJob: without idle instances, and with one job for each, a job waits
// for a boot and what it takes the runner and the scaler to look.
func TestOneBootForEachJob(t *testing.T) {
	t.Parallel()
	s, all := oneUse(Policy{}), poisson(500, 4*time.Minute, 10*time.Minute)
	f := whole(run(t, s, all), all)
	boot := s.Boot.Mean()
	assert.InDelta(t, boot.Seconds()+5, f.Mean.Seconds(), 5, "check interval 3 s, scaler 1 s, updates 2 s, acquisition 2 s")
	assert.Zero(t, f.Unserved)
	each := boot + 10*time.Minute + 30*time.Second
	assert.InDelta(t, each.Hours()*500, f.VMHours, 0.02*f.VMHours)
	assert.InDelta(t, 500.0/6, f.JobHours, 0.01)
	assert.InDelta(t, 1-f.JobHours/f.VMHours, f.Idle, 0.001)
}

// TestPreemptiveModeGrowsByTheIdleCount: in preemptive mode a burst gets idle_count
// instances a boot, however long it is. Without it, it gets all of them in one.
func TestPreemptiveModeGrowsByTheIdleCount(t *testing.T) {
	t.Parallel()
	for _, idle := range []int{2, 5} {
		s := oneUse(Policy{IdleCount: idle, IdleTime: time.Hour, Preemptive: true})
		s.Boot.Spread = 0
		all := burst(100, 12*time.Hour)
		r := run(t, s, all)
		boots := float64(100/idle - 1) // the first are there
		last := float64(r.Waits[99])
		assert.GreaterOrEqual(t, last, boots*60, "idle count %d", idle)
		assert.LessOrEqual(t, last, boots*70+5, "idle count %d", idle)

		s.Policies[0].Preemptive = false
		assert.Less(t, whole(run(t, s, all), all).P99, 75*time.Second)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	all := burst(8, 10*time.Minute)
	for name, c := range map[string]struct {
		change func(*Setting)
		atOnce int
	}{
		"max_instances": {func(s *Setting) { s.MaxInstances = 2 }, 2},
		"concurrent":    {func(s *Setting) { s.Concurrent = 4 }, 4},
		"two jobs each": {func(s *Setting) { s.MaxInstances, s.CapacityPerInstance, s.MaxUseCount = 2, 2, 0 }, 4},
		"many uses":     {func(s *Setting) { s.MaxInstances, s.MaxUseCount = 2, 0 }, 2},
	} {
		s := oneUse(Policy{IdleTime: time.Minute})
		c.change(&s)
		r := run(t, s, all)
		rounds := time.Duration(8/c.atOnce-1) * 10 * time.Minute
		assert.GreaterOrEqual(t, seconds(float64(r.Waits[7])), rounds, name)
		assert.Less(t, seconds(float64(r.Waits[7])), rounds+time.Duration(8/c.atOnce)*3*time.Minute, name)
		if name == "many uses" {
			assert.Equal(t, 2, r.Created)
		}
	}
}

// TestRequestsTakeTime: one request at a time hands out a burst one by one.
func TestRequestsTakeTime(t *testing.T) {
	t.Parallel()
	all := burst(60, time.Hour)
	s := oneUse(Policy{})
	s.Boot = Duration{}
	s.RequestTime = time.Second
	one := run(t, s, all)
	s.RequestConcurrency = 4
	four := run(t, s, all)
	assert.InDelta(t, 65, one.Waits[59], 8)
	assert.InDelta(t, 25, four.Waits[59], 8)
}

func TestFailedStarts(t *testing.T) {
	t.Parallel()
	all := poisson(200, 5*time.Minute, time.Minute)
	s := oneUse(Policy{})
	s.FailedStarts = 0.5
	r := run(t, s, all)
	assert.InDelta(t, 400, r.Created, 60)
	assert.Greater(t, whole(r, all).Mean, 110*time.Second)
	assert.Zero(t, whole(r, all).Unserved)
}

func TestEvictions(t *testing.T) {
	t.Parallel()
	all := poisson(100, 10*time.Minute, time.Hour)
	s := oneUse(Policy{})
	s.Evictions = 0.2
	r := run(t, s, all)
	f := whole(r, all)
	assert.InDelta(t, 20, r.Lost, 12, "a fifth of the runs, and of the second ones")
	assert.Greater(t, f.JobHours, 100.0, "what was lost ran, too")
	assert.InDelta(t, f.JobHours, f.VMHours*(1-f.Idle), 0.5)
	assert.Zero(t, f.Unserved)
}

// TestWarmPool: while deallocated instances are at hand, a start takes as long as theirs.
// Others are made when no job waits, and are at hand some minutes later.
func TestWarmPool(t *testing.T) {
	t.Parallel()
	var all []jobs.Job
	for _, at := range []time.Duration{0, 5 * time.Minute, time.Hour} {
		for _, j := range burst(10, 5*time.Minute) {
			all = append(all, jobs.Job{Arrives: j.Arrives.Add(at), Lasts: j.Lasts})
		}
	}
	s := oneUse(Policy{})
	s.Boot, s.Resume = Duration{Median: 2 * time.Minute}, Duration{Median: 20 * time.Second}
	s.WarmPool = 6
	r := run(t, s, all)
	var fast [3]int
	for n, w := range r.Waits {
		if w < 60 {
			fast[n/10]++
		}
	}
	assert.Equal(t, [3]int{6, 0, 6}, fast, "the second burst comes before others have booted and settled")
	assert.Less(t, r.Created, 36, "those of the pool are none of the runner's increases, in which the scaler asks for a few too many")
	each, f := 5*time.Minute+30*time.Second, whole(r, all) // a job and its deletion
	made := 12 * (2*time.Minute + 90*time.Second)          // for the pool: a boot, the time to settle, a deallocation
	least := 18*(2*time.Minute+each) + 12*(20*time.Second+each) + made
	assert.Greater(t, f.VMHours, least.Hours())
	assert.Less(t, f.VMHours, (least + 12*2*time.Minute + 30*10*time.Second).Hours(), "an update a minute: two for each of the pool; and the runner's own rounds")
}

// TestWarmPoolStepByStep is what the plugin does at the end of each update.
func TestWarmPoolStepByStep(t *testing.T) {
	t.Parallel()
	s := oneUse(Policy{})
	s.Boot.Spread, s.WarmPool = 0, 1
	g := newGroup(s, &tally{r: &Result{Start: monday}})
	update := func(at time.Duration) (making, ready int) {
		g.keepWarmLocked(monday.Add(at))
		return len(g.warm.making), g.warm.ready
	}
	g.vms["1"] = &vm{ready: monday.Add(time.Second)} // the runner waits for it
	for _, step := range []struct {
		at            time.Duration
		making, ready int
	}{
		{0, 0, 0}, {time.Second, 1, 0}, {70 * time.Second, 1, 0}, // it runs
		{129 * time.Second, 1, 0}, {130 * time.Second, 1, 0}, // has run for a minute, and is deallocated
		{159 * time.Second, 1, 0}, {160 * time.Second, 0, 1}, {170 * time.Second, 0, 1},
	} {
		making, ready := update(step.at)
		assert.Equal(t, [2]int{step.making, step.ready}, [2]int{making, ready}, "%s", step.at)
	}
	assert.InDelta(t, (159 * time.Second).Hours(), g.tally.r.InstanceHours[0], 0.0001, "from its creation to the end of the deallocation")
	assert.True(t, g.warm.take())
	assert.False(t, g.warm.take())
	making, _ := update(180 * time.Second)
	assert.Equal(t, 1, making, "another takes its place")
}

func TestAcquisitionsTimeOut(t *testing.T) {
	t.Parallel()
	all := burst(1, time.Minute)
	s := oneUse(Policy{})
	s.Boot = Duration{Median: time.Hour}
	r := run(t, s, all)
	f := whole(r, all)
	assert.Equal(t, 1, f.Unserved)
	assert.InDelta(t, (15 * time.Minute).Seconds(), f.Mean.Seconds(), 10)
}

// TestSchedules: periods are in their time zone, at the real dates, over the change to
// summer time.
func TestSchedules(t *testing.T) {
	t.Parallel()
	all := []jobs.Job{{Arrives: monday, Lasts: time.Second}, {Arrives: monday.AddDate(0, 0, 9), Lasts: time.Second}}
	s := oneUse(Policy{}, Policy{Periods: []string{"* 8-17 * * mon-fri"}, Timezone: "Europe/Berlin", IdleCount: 3, IdleTime: time.Minute})
	r := run(t, s, all)
	at := func(day, hour int) float64 { return r.InstanceHours[day*24+hour] }
	for day, first := range map[int]int{1: 7, 4: 7, 7: 6, 8: 6} { // UTC+1, and UTC+2 from Sunday, day 6, on
		assert.InDelta(t, 0, at(day, first-1), 0.01, day)
		assert.InDelta(t, 3, at(day, first), 0.1, day)
		assert.InDelta(t, 3, at(day, first+9), 0.01, day)
		assert.InDelta(t, 0, at(day, first+11), 0.01, day)
	}
	for hour := range 24 {
		assert.Zero(t, at(5, hour), "Saturday")
	}
}

func TestBadSettings(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Setting){
		"max_instances must be 1 or more": func(s *Setting) { s.MaxInstances = 0 },
		"a share of failed starts":        func(s *Setting) { s.FailedStarts = 1 },
		"evictions an hour":               func(s *Setting) { s.Evictions = -1 },
		"take the policies":               func(s *Setting) { s.Policies = []Policy{{Periods: []string{"never"}}} },
		"there are no jobs":               func(s *Setting) { s.From = 7 },
	} {
		s := oneUse(Policy{})
		change(&s)
		synctest.Test(t, func(t *testing.T) {
			_, err := Run(s, burst(1, 0))
			assert.ErrorContains(t, err, want)
		})
	}
}
