package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/jobapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/testbed"
)

func archive(t *testing.T, name, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	require.NoError(t, w.AddFS(fstest.MapFS{name: {Data: []byte(content)}}))
	require.NoError(t, w.Close())
	return out.Bytes()
}

// full is a trial's end with all that can be known of it, as expected.
func full(t *testing.T) (jobapi.Job, want) {
	t.Helper()
	const log = "prologue\n\x1b[32m$ say one\nsaid:job:one\r\nsaid:other:x\nsaid:job:two\nsaid:job:unfinished"
	job := jobapi.Job{
		Spec: jobapi.Spec{Name: "job"}, State: jobapi.Failed, FailureReason: scriptError, ExitCode: 3,
		Log: []byte(log), Uploads: map[string][]byte{"artifacts.zip": archive(t, "out/file", "content")},
	}
	return job, want{
		state: jobapi.Failed, reason: scriptError, code: 3, lines: []string{"one", "two"},
		hidden: "secret", uploads: map[string]string{"out/file": "content"},
	}
}

var checks = map[string]struct {
	change func(*jobapi.Job, *want)
	wrong  string // empty: it is as expected
}{
	"as expected":     {func(*jobapi.Job, *want) {}, ""},
	"no reason given": {func(j *jobapi.Job, _ *want) { j.FailureReason = "" }, ""},
	"state":           {func(j *jobapi.Job, _ *want) { j.State = jobapi.Running }, "state is running, expected failed"},
	"reason":          {func(j *jobapi.Job, _ *want) { j.FailureReason = systemError }, "failure reason is runner_system_failure, expected script_failure"},
	"another reason":  {func(_ *jobapi.Job, w *want) { w.reason, w.alt = systemError, scriptError }, ""},
	"another reason, another code": {func(j *jobapi.Job, w *want) {
		w.reason, w.alt, j.ExitCode = systemError, scriptError, 4
	}, "exit code is 4, expected 3"},
	"exit code":      {func(j *jobapi.Job, _ *want) { j.ExitCode = 1 }, "exit code is 1, expected 3"},
	"late":           {func(j *jobapi.Job, _ *want) { j.Late = 2 }, "number of requests after the job's end is 2, expected 0"},
	"misplaced":      {func(j *jobapi.Job, _ *want) { j.Misplaced = 1 }, "number of log parts out of place is 1, expected 0"},
	"corrupt":        {func(j *jobapi.Job, _ *want) { j.Corrupt = "2 bytes" }, "difference of the log from the runner's is 2 bytes"},
	"no reaction":    {func(j *jobapi.Job, w *want) { cancelIn(j, w, -1) }, "the runner did not react"},
	"late reaction":  {func(j *jobapi.Job, w *want) { cancelIn(j, w, 20*time.Second) }, "the runner reacted to the cancellation after 20s"},
	"quick reaction": {func(j *jobapi.Job, w *want) { cancelIn(j, w, time.Second) }, ""},
	"ended before its cancellation": {func(j *jobapi.Job, w *want) {
		cancelIn(j, w, time.Second)
		j.State, j.FailureReason, j.CanceledAt = jobapi.Failed, systemError, time.Time{}
	}, "state is failed, expected canceled\nfailure reason is runner_system_failure, expected \nthe job was not cancelled before it ended"},
	"masked":       {func(j *jobapi.Job, _ *want) { j.Log = append(j.Log, "secret"...) }, "the log shows a masked variable"},
	"line missing": {func(_ *jobapi.Job, w *want) { w.lines = []string{"one", "two", "three"} }, `line 3 is nothing, expected "three"`},
	"line twice":   {func(_ *jobapi.Job, w *want) { w.lines = []string{"one"} }, `line 2 is "two", expected nothing`},
	"line wrong":   {func(_ *jobapi.Job, w *want) { w.lines = []string{"one", "2"} }, `line 2 is "two", expected "2"`},
	"artifact":     {func(_ *jobapi.Job, w *want) { w.uploads["out/file"] = "other" }, `artifact out/file holds "content"`},
	"no artifact":  {func(j *jobapi.Job, _ *want) { j.Uploads = nil }, "artifact out/file holds"},
	"uncalled-for": {func(_ *jobapi.Job, w *want) { w.uploads = nil }, "1 files were uploaded, expected none"},
}

// cancelIn makes the job one that was cancelled, to which the runner reacted in
// this time; less than 0: never.
func cancelIn(j *jobapi.Job, w *want, reaction time.Duration) {
	j.State, j.FailureReason, j.ExitCode, j.CanceledAt = jobapi.Canceled, "", 0, time.Now()
	w.state, w.reason = jobapi.Canceled, ""
	if reaction >= 0 {
		j.ReactedAt = j.CanceledAt.Add(reaction)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, c := range checks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job, w := full(t)
			c.change(&job, &w)
			err := w.check(job)
			if c.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.wrong)
		})
	}
}

func TestEvictedByExecutor(t *testing.T) {
	t.Parallel()
	lost := func(executor string, major int) want {
		return evicted(executor, testbed.RunnerVersion{Major: major}).want
	}
	asScripts := jobapi.Job{Spec: jobapi.Spec{Name: "evicted"}, State: jobapi.Failed, FailureReason: scriptError, Log: []byte("said:evicted:begun\n")}
	require.NoError(t, lost(testbed.Instance, 17).check(asScripts))
	require.NoError(t, lost(testbed.DockerAutoscaler, 15).check(asScripts))
	require.ErrorContains(t, lost(testbed.DockerAutoscaler, 17).check(asScripts), "failure reason is script_failure, expected runner_system_failure")
}

func TestSummary(t *testing.T) {
	t.Parallel()
	v := &verdict{right: 40}
	assert.Equal(t, "e2e: 40 jobs as expected, 0 not; 0 instances left", v.summary())
	require.NoError(t, v.print())
	v.uncounted = []string{testbed.Instance}
	assert.Equal(t, "e2e: 40 jobs as expected, 0 not; 0 instances left, not counted with instance", v.summary())
	require.Error(t, v.print())
}

func TestTwentyTrials(t *testing.T) {
	t.Parallel()
	all, names, count := trials(testbed.Instance, testbed.RunnerVersion{}), map[string]bool{}, map[phase]int{}
	for _, trial := range all {
		names[trial.Name] = true
		count[trial.when]++
	}
	assert.Len(t, all, 20)
	assert.Len(t, names, 20, "the names tell the jobs' lines apart")
	assert.Equal(t, map[phase]int{atFirst: 14, beforeQuit: 2, whileQuit: 4}, count)
}

func TestComplaints(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	require.NoError(t, os.WriteFile(log, []byte("no JSON\n"+
		`{"level":"info","subsystem":"fleeting-plugin.fleeting-plugin-azure","msg":"fine"}`+"\n"+
		`{"level":"error","subsystem":"taskscaler","msg":"other"}`+"\n"+
		`{"level":"warning","subsystem":"fleeting-plugin.fleeting-plugin-azure","msg":"odd"}`+"\n"), 0o600))
	require.EqualError(t, complaints(log), "the plugin complained: odd")
	require.NoError(t, os.WriteFile(log, []byte(`{"level":"error","subsystem":"taskscaler","msg":"other"}`+"\n"), 0o600))
	require.ErrorContains(t, complaints(log), "holds no line of the plugin")
}
