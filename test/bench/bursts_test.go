package bench

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/taskscaler"
)

var (
	demo     = flag.Bool("demo", false, "play bursts of jobs as make demo BOOT=realistic does")
	demoMode = flag.String("mode", modeUniform, "orchestration mode of the demo")
	demoSeed = flag.Uint64("seed", 0, "decides all chance of the demo but the order of goroutines; 0 takes a random one")
	demoWarm = flag.Int("warm", 0, "warm_pool_size of the demo; 0: the option is not set")
	oneTable = flag.String("table", "", "the one of the guide's tables to measure; empty: all")
	starts   = flag.Bool("starts", false, "measure what the guide on fast starts has, which takes minutes, and write it there")
)

const (
	demoBursts = 40
	guide      = "../../docs/guides/fast-starts.md"
)

// TestDemo is for `make demo BOOT=realistic`.
func TestDemo(t *testing.T) {
	if !*demo {
		t.Skip("it is for make demo BOOT=realistic")
	}
	b := bursts(taskscaler.Schedule{}, realistic)
	b.Seed, b.WarmPool, b.Count = *demoSeed, *demoWarm, demoBursts
	if b.Seed == 0 {
		b.Seed = rand.Uint64()
	}
	for _, mode := range []string{modeUniform, modeFlexible} {
		if strings.EqualFold(mode, *demoMode) {
			b.Mode = mode
		}
	}
	f := play(t, b.Play)
	fmt.Print(b.report(f))
	require.True(t, f.Done, "jobs or instances are left")
	require.Zero(t, f.Lost, "jobs whose instance vanished")
}

// TestStarts is for `make starts`.
func TestStarts(t *testing.T) {
	if !*starts {
		t.Skip("it takes minutes: make starts")
	}
	for _, table := range Starts() {
		if *oneTable != "" && *oneTable != table.What {
			continue
		}
		figures := make([]Figures, len(table.Rows))
		t.Run(table.What, func(t *testing.T) {
			for n, row := range table.Rows {
				t.Run(row.Name, func(t *testing.T) {
					t.Parallel()
					figures[n] = playStart(t, row.Bursts)
				})
			}
		})
		require.False(t, t.Failed())
		writeTable(t, table.What, table.markdown(figures))
	}
}

func writeTable(t *testing.T, what, rows string) {
	t.Helper()
	fmt.Println(rows)
	raw, err := os.ReadFile(guide)
	require.NoError(t, err)
	text, err := replaceTable(string(raw), what, rows)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(guide, []byte(text), 0o644)) //nolint:gosec // a page
}

func playStart(t *testing.T, b Bursts) Figures {
	t.Helper()
	f := play(t, b.Play)
	assert.True(t, f.Done)
	assert.Zero(t, f.Lost)
	return f
}

// few are bursts that take little to play.
func few(policy taskscaler.Schedule) Bursts {
	b := bursts(policy, realistic)
	b.Count = 20
	return b
}

// TestBurstsWait: who waits for the creation of an instance waits for that, and one that
// is kept ready serves at once, but the runner's default keeps jobs waiting.
func TestBurstsWait(t *testing.T) {
	if raced {
		t.Skip("virtual time is slow under the race detector")
	}
	for name, c := range map[string]struct {
		policy      taskscaler.Schedule
		least, most time.Duration // of the mean
	}{
		"nothing kept": {taskscaler.Schedule{}, 70 * time.Second, 150 * time.Second},
		"two kept":     {taskscaler.Schedule{IdleCount: 2}, 5 * time.Second, 70 * time.Second},
		"four kept":    {taskscaler.Schedule{IdleCount: 4}, 0, 5 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := few(c.policy)
			f := play(t, b.Play)
			jobs, length := b.plan()
			assert.True(t, f.Done)
			assert.Len(t, f.Waits, len(jobs))
			assert.Len(t, f.fitting(burstSize), len(jobs))
			assert.GreaterOrEqual(t, mean(f.Waits), c.least)
			assert.LessOrEqual(t, mean(f.Waits), c.most)
			assert.Equal(t, f.Running, f.Disks, "nothing is deallocated")
			assert.Greater(t, f.Running, time.Duration(c.policy.IdleCount)*length*9/10)
		})
	}
}

// TestBurstsFromWarmPool: waits are half as long, for disks instead of virtual machines. It
// plays all of the guide's bursts, as the figures of few vary by a sixth.
func TestBurstsFromWarmPool(t *testing.T) {
	if raced {
		t.Skip("virtual time is slow under the race detector")
	}
	t.Parallel()
	cold := bursts(taskscaler.Schedule{}, realistic)
	warm := cold
	warm.WarmPool = burstSize
	with, without := playStart(t, warm), playStart(t, cold)
	for _, p := range []float64{50, 95} {
		assert.LessOrEqual(t, 2*percentile(with.Waits, p), percentile(without.Waits, p), "percentile %v", p)
	}
	assert.Greater(t, with.Disks, without.Disks)
	assert.Less(t, with.Running, with.Disks*2/3)
}

// TestBurstsFromStandbyPool: the same of Azure's own, which the plugin need not know of.
func TestBurstsFromStandbyPool(t *testing.T) {
	if raced {
		t.Skip("virtual time is slow under the race detector")
	}
	t.Parallel()
	b := bursts(taskscaler.Schedule{}, realistic)
	b.Mode = modeFlexible
	without := play(t, b.Play)
	b.Standby = 2 * burstSize
	with := play(t, b.Play)
	assert.True(t, with.Done)
	for _, p := range []float64{50, 95} {
		assert.LessOrEqual(t, 2*percentile(with.Waits, p), percentile(without.Waits, p), "percentile %v", p)
	}
	assert.Greater(t, with.Disks, without.Disks)
	assert.Less(t, with.Running, with.Disks*2/3)
}

func TestReplaceTable(t *testing.T) {
	const before, after = "# Page\n\n<!-- written by make starts: kept -->\n", "<!-- end of what make starts writes -->\nMore.\n"
	page, err := replaceTable(before+"old\n"+after, "kept", "new\n")
	require.NoError(t, err)
	assert.Equal(t, before+"new\n"+after, page)
	_, err = replaceTable(before, "kept", "new\n")
	require.Error(t, err)
	_, err = replaceTable(page, "start", "new\n")
	require.Error(t, err)
}
