package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/e2e/jobapi"
)

// verdict is what came of all legs.
type verdict struct {
	logs  string
	right int      // jobs as expected
	bad   []string // jobs that are not, and why
	left  int      // instances
	wrong []string // that is no job's result

	uncounted []string // executors with which nobody could look for instances
}

// missing counts all jobs of a leg that never began.
func (v *verdict) missing(l *leg) {
	for _, t := range l.trials {
		v.bad = append(v.bad, fmt.Sprintf("%s, job %q: it never ran", l.executor, t.Name))
	}
}

// judge compares the jobs of a leg with what was expected of them.
func (v *verdict) judge(l *leg) {
	all := l.stand.Jobs.Jobs()
	for i, t := range l.trials {
		if l.ids[i] == 0 {
			v.bad = append(v.bad, fmt.Sprintf("%s, job %q: it was never queued", l.executor, t.Name))
			continue
		}
		job := all[l.ids[i]-1]
		found := t.want.check(job)
		if found == nil {
			v.right++
			continue
		}
		file := filepath.Join(v.logs, fmt.Sprintf("job-%s-%s.log", l.executor, job.Name))
		found = errors.Join(found, os.WriteFile(file, job.Log, 0o600))
		v.bad = append(v.bad, fmt.Sprintf("%s, job %q: %s; its log is in %s", l.executor, job.Name,
			strings.ReplaceAll(found.Error(), "\n", "; "), file))
	}
}

// check tells all that is not as expected of a job.
func (w want) check(job jobapi.Job) error {
	var found []error
	expect := func(what string, got, want any) {
		if got != want {
			found = append(found, fmt.Errorf("%s is %v, expected %v", what, got, want))
		}
	}
	expect("state", job.State, w.state)
	if got := reason(job); w.or == "" || got != w.or {
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

// promptly is how soon a runner that hears of a cancellation has to end the job.
// It speaks up every second or so.
const promptly = 15 * time.Second

// reaction says whether the runner reacted to a cancellation: GitLab's own word
// for it proves nothing.
func reaction(job jobapi.Job) error {
	if job.ReactedAt.IsZero() {
		return errors.New("the runner did not react to the cancellation")
	}
	if took := job.ReactedAt.Sub(job.CanceledAt); took > promptly {
		return fmt.Errorf("the runner reacted to the cancellation after %s, expected %s at most", took.Round(time.Second), promptly)
	}
	return nil
}

// reason is why a job failed: GitLab takes none for a script's failure.
func reason(job jobapi.Job) string {
	if job.State == jobapi.Failed && job.FailureReason == "" {
		return scriptError
	}
	return job.FailureReason
}

// said are the lines that a job's script said.
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
	if slices.Equal(got, want) {
		return nil
	}
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	show := func(lines []string) string {
		if at < len(lines) {
			return fmt.Sprintf("%q", lines[at])
		}
		return "nothing"
	}
	return fmt.Errorf("the log has %d lines of the script, expected %d; line %d is %s, expected %s", len(got), len(want), at+1, show(got), show(want))
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
	file, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	return string(content), err
}

// complaints are the plugin's own warnings and errors in a runner's log: nothing
// happens in this test that it should complain of. Without a line of it nothing is
// known, and that is wrong, too.
func complaints(log string) error {
	text, err := os.ReadFile(log)
	if err != nil {
		return err
	}
	var found []error
	spoke := false
	for line := range bytes.Lines(text) {
		var entry struct{ Level, Subsystem, Msg string }
		if json.Unmarshal(line, &entry) != nil || !strings.HasPrefix(entry.Subsystem, "fleeting-plugin") {
			continue // not the plugin's; what the runner says before it has read its configuration is no JSON
		}
		spoke = true
		if entry.Level == "warning" || entry.Level == "error" {
			found = append(found, fmt.Errorf("the plugin complained: %s", entry.Msg))
		}
	}
	if !spoke {
		return fmt.Errorf("%s holds no line of the plugin, so its warnings and errors cannot be checked", log)
	}
	return errors.Join(found...)
}

// inspect notes what is left of temporary files.
func (v *verdict) inspect(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		v.wrong = append(v.wrong, err.Error())
	}
	for _, entry := range entries {
		v.wrong = append(v.wrong, fmt.Sprintf("%s is left among temporary files", entry.Name()))
	}
}

// summary is the verdict in one line.
func (v *verdict) summary() string {
	line := fmt.Sprintf("e2e: %d jobs as expected, %d not; %d instances left", v.right, len(v.bad), v.left)
	if len(v.uncounted) > 0 {
		line += ", not counted with " + strings.Join(v.uncounted, " and ")
	}
	return line
}

// print ends with the verdict in one line; the error says that it is not good.
func (v *verdict) print() error {
	for _, line := range slices.Concat(v.bad, v.wrong) {
		fmt.Println("not as expected:", line)
	}
	failed := len(v.bad) > 0 || len(v.wrong) > 0 || v.left > 0 || len(v.uncounted) > 0
	if failed {
		fmt.Println("the runner's and the jobs' logs are in", v.logs)
	}
	fmt.Println(v.summary())
	if failed {
		return errors.New("failed")
	}
	return nil
}
