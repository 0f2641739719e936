package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/jobapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// verdict is the result with all executors.
type verdict struct {
	logs  string
	right int      // jobs as expected
	bad   []string // jobs that are not, and why
	left  int      // instances
	wrong []string // that is no job's result

	uncounted []string // executors whose instances could not be counted
}

// check compares the jobs of a run with what was expected of them.
func (v *verdict) check(r *executorRun, all []jobapi.Job) {
	for _, t := range r.trials {
		if t.id == 0 {
			v.bad = append(v.bad, fmt.Sprintf("%s, job %q: it was never queued", r.options.Executor, t.Name))
			continue
		}
		job := all[t.id-1]
		found := t.want.check(job)
		if found == nil {
			v.right++
			continue
		}
		file := filepath.Join(v.logs, fmt.Sprintf("job-%s-%s.log", r.options.Executor, job.Name))
		found = errors.Join(found, os.WriteFile(file, job.Log, 0o600))
		v.bad = append(v.bad, fmt.Sprintf("%s, job %q: %v; its log is in %s", r.options.Executor, job.Name, found, file))
	}
}

// check returns all that is not as expected of a job.
func (w want) check(job jobapi.Job) error {
	var found []error
	expect := func(what string, got, want any) {
		if got != want {
			found = append(found, fmt.Errorf("%s is %v, expected %v", what, got, want))
		}
	}
	expect("state", job.State, w.state)
	if got := reason(job); w.alt == "" || got != w.alt {
		expect("failure reason", got, w.reason)
	}
	if w.state == jobapi.Success || reason(job) == scriptError {
		expect("exit code", job.ExitCode, w.code)
	}
	expect("number of requests after the job's end", job.Late, 0)
	expect("number of log parts out of place", job.Misplaced, 0)
	expect("difference of the log from the runner's", job.Corrupt, "")
	if w.state == jobapi.Canceled {
		found = append(found, reaction(job))
	}
	if w.hidden != "" && bytes.Contains(job.Log, []byte(w.hidden)) {
		found = append(found, errors.New("the log shows a masked variable"))
	}
	found = append(found, compare(said(job), w.lines), w.checkUploads(job))
	return errors.Join(found...)
}

// promptly is how soon a runner has to end a job that is cancelled. It polls every
// second or so.
const promptly = 15 * time.Second

// reaction returns an error unless the runner reacted to a cancellation, which the
// job's state does not prove.
func reaction(job jobapi.Job) error {
	if job.CanceledAt.IsZero() {
		return errors.New("the job was not cancelled before it ended")
	}
	if job.ReactedAt.IsZero() {
		return errors.New("the runner did not react to the cancellation")
	}
	if took := job.ReactedAt.Sub(job.CanceledAt); took > promptly {
		return fmt.Errorf("the runner reacted to the cancellation after %s, expected %s at most", took.Round(time.Second), promptly)
	}
	return nil
}

// reason is why a job failed. None means that the script did.
func reason(job jobapi.Job) string {
	if job.State == jobapi.Failed && job.FailureReason == "" {
		return scriptError
	}
	return job.FailureReason
}

// said are the lines that a job's script printed with say.
func said(job jobapi.Job) []string {
	var lines []string
	for line := range strings.Lines(string(job.Log)) {
		if text, found := strings.CutPrefix(line, "said:"+job.Name+":"); found && strings.HasSuffix(text, "\n") {
			lines = append(lines, strings.TrimRight(text, "\r\n"))
		}
	}
	return lines
}

func compare(got, want []string) error {
	for at := range max(len(got), len(want)) {
		if is, expected := show(got, at), show(want, at); is != expected {
			return fmt.Errorf("the log has %d lines of the script, expected %d; line %d is %s, expected %s", len(got), len(want), at+1, is, expected)
		}
	}
	return nil
}

func show(lines []string, at int) string {
	if at < len(lines) {
		return fmt.Sprintf("%q", lines[at])
	}
	return "nothing"
}

func (w want) checkUploads(job jobapi.Job) error {
	if len(w.uploads) == 0 && len(job.Uploads) > 0 {
		return fmt.Errorf("%d files were uploaded, expected none", len(job.Uploads))
	}
	for name, content := range w.uploads {
		if got, err := unzip(job.Uploads["artifacts.zip"], name); err != nil || got != content {
			return fmt.Errorf("artifact %s holds %q (%w), expected %q", name, got, err, content)
		}
	}
	return nil
}

func unzip(archive []byte, name string) (string, error) {
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return "", err
	}
	content, err := fs.ReadFile(files, name)
	return string(content), err
}

// complaints are the plugin's own warnings and errors in a runner's log: nothing
// happens in this test that justifies any. A log without a line of the plugin
// proves nothing, which is an error, too.
func complaints(log string) error {
	text, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	var found []error
	logged := false
	for line := range bytes.Lines(text) {
		var entry struct{ Level, Subsystem, Msg string }
		if json.Unmarshal(line, &entry) != nil || !strings.HasPrefix(entry.Subsystem, "fleeting-plugin") {
			continue // not the plugin's; what the runner logs before it has read its configuration is no JSON
		}
		logged = true
		if entry.Level == "warning" || entry.Level == "error" {
			found = append(found, fmt.Errorf("the plugin complained: %s", entry.Msg))
		}
	}
	if !logged {
		return fmt.Errorf("%s holds no line of the plugin, so its warnings and errors cannot be checked", log)
	}
	return errors.Join(found...)
}

// summary is the verdict in one line.
func (v *verdict) summary() string {
	line := fmt.Sprintf("e2e: %d jobs as expected, %d not; %d instances left", v.right, len(v.bad), v.left)
	if len(v.uncounted) > 0 {
		line += ", not counted with " + strings.Join(v.uncounted, " and ")
	}
	return line
}

// print prints all that is not as expected, and the summary.
func (v *verdict) print() error {
	wrong := slices.Concat(v.bad, v.wrong)
	for _, executor := range v.uncounted {
		wrong = append(wrong, executor+": instances were not counted")
	}
	if len(wrong) > 0 {
		fmt.Println("the runner's and the jobs' logs are in", v.logs)
	}
	return load.Verdict(v.summary(), wrong...)
}
