package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/e2e/jobapi"
)

func archive(t *testing.T, name, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.Create(name)
	require.NoError(t, err)
	_, err = f.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestCheck(t *testing.T) {
	t.Parallel()
	full := want{
		state: jobapi.Failed, reason: scriptError, code: 3, lines: []string{"one", "two"},
		hidden: "secret", uploads: map[string]string{"out/file": "content"},
	}
	const log = "prologue\n\x1b[32m$ say one\nsaid:job:one\r\nsaid:other:x\nsaid:job:two\nsaid:job:unfinished"
	for name, c := range map[string]struct {
		change func(*jobapi.Job, *want)
		wrong  string // empty: it is as expected
	}{
		"as expected":      {func(*jobapi.Job, *want) {}, ""},
		"no reason told":   {func(j *jobapi.Job, _ *want) { j.FailureReason = "" }, ""},
		"state":            {func(j *jobapi.Job, _ *want) { j.State = jobapi.Running }, "state is running, expected failed"},
		"reason":           {func(j *jobapi.Job, _ *want) { j.FailureReason = systemError }, "failure reason is runner_system_failure, expected script_failure"},
		"another reason":   {func(j *jobapi.Job, w *want) { w.reason, w.or = systemError, scriptError }, ""},
		"exit code":        {func(j *jobapi.Job, _ *want) { j.ExitCode = 1 }, "exit code is 1, expected 3"},
		"handed out twice": {func(j *jobapi.Job, _ *want) { j.HandedOut = 2 }, "times handed out is 2, expected 1"},
		"masked":           {func(j *jobapi.Job, _ *want) { j.Log = append(j.Log, "secret"...) }, "the log shows a masked variable"},
		"line missing":     {func(_ *jobapi.Job, w *want) { w.lines = []string{"one", "two", "three"} }, `line 3 is nothing, expected "three"`},
		"line twice":       {func(_ *jobapi.Job, w *want) { w.lines = []string{"one"} }, `line 2 is "two", expected nothing`},
		"line wrong":       {func(_ *jobapi.Job, w *want) { w.lines = []string{"one", "2"} }, `line 2 is "two", expected "2"`},
		"artifact":         {func(_ *jobapi.Job, w *want) { w.uploads["out/file"] = "other" }, `artifact out/file holds "content"`},
		"no artifact":      {func(j *jobapi.Job, _ *want) { j.Uploads = nil }, "artifact out/file holds"},
		"uncalled-for":     {func(_ *jobapi.Job, w *want) { w.uploads = nil }, "1 files were uploaded, expected none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := full
			w.uploads = map[string]string{"out/file": "content"}
			job := jobapi.Job{
				Spec: jobapi.Spec{Name: "job"}, State: jobapi.Failed, FailureReason: scriptError, ExitCode: 3, HandedOut: 1,
				Log: []byte(log), Uploads: map[string][]byte{"artifacts.zip": archive(t, "out/file", "content")},
			}
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

func TestTwentyTrials(t *testing.T) {
	t.Parallel()
	all, names, count := trials(), map[string]bool{}, map[phase]int{}
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
}
