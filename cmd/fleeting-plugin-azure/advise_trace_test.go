//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

// trace is 42 days of Bitcoin Core's jobs, in the directory that ADVISE_SHARED names,
// which is not part of this project.
func trace(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("ADVISE_SHARED")
	if dir == "" {
		t.Skip("ADVISE_SHARED names no directory with gitlab-jobs and traces")
	}
	return filepath.Join(dir, "traces", "bitcoin-core-2025.csv")
}

// children is what processes that have ended took of the processor, and the most of
// memory that one of them had, in bytes.
func children(t *testing.T) (processor time.Duration, memory int64) {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u))
	memory = int64(u.Maxrss)
	if runtime.GOOS == "linux" {
		memory <<= 10 // others count bytes
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), memory
}

const memoryLimit = 300 << 20

// TestOneCandidateOfTheTrace: its price in processor time and memory.
func TestOneCandidateOfTheTrace(t *testing.T) {
	file, err := os.Open(trace(t))
	require.NoError(t, err)
	defer file.Close()
	load, err := jobs.Read(file, jobs.Filter{Tags: []string{"linux"}})
	require.NoError(t, err)
	before, _ := children(t)
	pool, err := sim.NewPool(t.Context(), 1, load.Jobs)
	require.NoError(t, err)
	_, err = pool.Play(t.Context(), sim.Setting{Seed: 1, Policies: []sim.Policy{{IdleCount: 5, IdleTime: 20 * time.Minute, Preemptive: true}}, Fleet: sim.Fleet{
		MaxUseCount: 1, MaxInstances: 60, Boot: sim.Duration{Median: time.Minute, Spread: 0.3}, Deletion: sim.Duration{Median: 30 * time.Second},
	}})
	require.NoError(t, err)
	pool.Close()
	after, memory := children(t)
	t.Logf("%d jobs: %v, %d MiB", len(load.Jobs), after-before, memory>>20)
	assert.Less(t, after-before, 20*time.Second)
	assert.Less(t, memory, int64(memoryLimit))
}

// TestAdviseOnTheTrace: the figures of the guide, and that the pick holds on days that it
// was not chosen by.
func TestAdviseOnTheTrace(t *testing.T) {
	before, _ := children(t)
	out, errors, code := advised("", "--jobs", trace(t), "--tag", "linux", "--boot", "60s", "--start", "2025-09-04T17:25:47Z", "--output", "json")
	require.Zero(t, code, errors)
	after, memory := children(t)
	t.Logf("%v of processor time, %d MiB", after-before, memory>>20)
	assert.Less(t, after-before, 2*5*time.Minute, "5 minutes of 2 processors")
	assert.Less(t, memory, int64(memoryLimit))
	type figures struct {
		Mean       float64 `json:"wait_mean_seconds"`
		P95        float64 `json:"wait_p95_seconds"`
		PerJobHour float64 `json:"vm_hours_per_job_hour"`
	}
	type row struct {
		Name  string
		Whole figures `json:"all_days"`
		Test  figures `json:"last_third"`
	}
	var advice struct {
		Policies       []row
		Pick, Baseline row
		Cheaper        float64 `json:"cheaper_than_baseline"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &advice))
	want := map[string][2]float64{
		"GitLab's sample: idle 5 for 20m, one use": {80, 2.61}, "idle 2, defaults: preemptive, any use": {174, 1.77},
		"idle 0, one use": {71, 1.13}, "idle 2, not preemptive, any use": {47, 1.84},
	}
	for _, p := range advice.Policies {
		if figures, ok := want[p.Name]; ok {
			assert.InEpsilon(t, figures[0], p.Whole.Mean, 0.1, p.Name)
			assert.InEpsilon(t, figures[1], p.Whole.PerJobHour, 0.1, p.Name)
			delete(want, p.Name)
		}
	}
	assert.Empty(t, want, "all are in the table")
	assert.Equal(t, "GitLab's sample: idle 5 for 20m, one use", advice.Baseline.Name)
	assert.GreaterOrEqual(t, advice.Cheaper, 0.25)
	assert.LessOrEqual(t, advice.Pick.Test.P95, advice.Baseline.Test.P95)
}
