package main

import (
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/jobapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/testbed"
)

// trial is a job and how it is to end.
type trial struct {
	jobapi.Spec
	want want
	when phase
	do   action // to the job, once it runs

	endsEarly bool // something ends it from outside

	id int64 // 0: not queued yet
}

// want is how a job should end.
type want struct {
	state   jobapi.State
	reason  string
	alt     string            // another reason that is right, too
	code    int               // of a script that ends
	lines   []string          // that the script prints, all of them, in this order
	hidden  string            // what its log must not show
	uploads map[string]string // files among its artifacts
}

// phase is when a job is queued.
type phase int

const (
	atFirst    phase = iota
	beforeQuit       // runs when the runner is asked to quit
	whileQuit        // waits while there is no runner
)

// Reasons of a failure, in GitLab's words.
const (
	scriptError = "script_failure"
	systemError = "runner_system_failure"
	timedOut    = "job_execution_timeout"
)

// action is what is done to a job that runs.
type action int

const (
	nothing action = iota
	cancel
	evict
	hangUp // the runner and its plugin, which are to go on
)

// say is what a job's script prints its lines with. The runner shows each command
// of a script in the log: such a line must not look like what the script prints.
const say = `say() { echo "said:$CI_JOB_NAME:$*"; }`

// begun is the first line of those jobs to which something happens.
const begun = "begun"

// trials are the jobs of one executor.
func trials(executor string, runner testbed.RunnerVersion) []trial {
	all := []trial{
		evicted(executor, runner),
		endless("cancelled", cancel, want{state: jobapi.Canceled}),
		timeout(),
		large(),
		slow(),
		variables(),
		job("stderr", "for i in 1 2 3; do say $i >&2; done").passes("1", "2", "3"),
		job("quiet", "true").passes(),
		job("exit-1", "say before", "exit 1", "say after").fails(1, "before"),
		job("exit-42", "say before", "(exit 42)", "say after").exact().fails(42, "before"),
		job("exit-255", "say before", "exit 255").fails(255, "before"),
		job("no-such-command", "say before", "no-such-command", "say after").exact().fails(127, "before"),
		job("artifacts", "say make", "mkdir out", "echo content > out/file").passes("make").uploading("out/file", "content\n"),
		job("artifacts-of-failure", "mkdir out", "echo half > out/file", "exit 3").fails(3).uploading("out/file", "half\n"),
	}
	for i := range 2 {
		t := job(fmt.Sprintf("graceful-%d", i+1), "say "+begun, "sleep 10", "say end").passes(begun, "end")
		t.when = beforeQuit
		all = append(all, t)
	}
	for i := range 4 {
		t := job(fmt.Sprintf("waiting-%d", i+1), "say done").passes("done")
		t.when = whileQuit
		all = append(all, t)
	}
	return all
}

func job(name string, script ...string) trial {
	return trial{Spec: jobapi.Spec{Name: name, Script: append([]string{say}, script...)}}
}

// exact has the runner report the exit code of a command that ends the script; by
// default bash makes 1 of it.
func (t trial) exact() trial {
	t.Variables = append(t.Variables, jobapi.Variable{Key: "FF_USE_NEW_BASH_EVAL_STRATEGY", Value: "true"})
	return t
}

func (t trial) passes(lines ...string) trial {
	t.want = want{state: jobapi.Success, lines: lines}
	return t
}

func (t trial) fails(code int, lines ...string) trial {
	t.want = want{state: jobapi.Failed, reason: scriptError, code: code, lines: lines}
	return t
}

func (t trial) uploading(file, content string) trial {
	t.Artifacts, t.want.uploads = []string{"out"}, map[string]string{file: content}
	return t
}

// endless is a job that does not end by itself before the test does. Its log
// grows: a runner that has nothing to send sends a sign of life every 30 seconds
// (MinTraceForceSendInterval in its common/network.go).
func endless(name string, do action, w want) trial {
	t := job(name, "say "+begun, "for i in $(seq 600); do echo alive; sleep 1; done", "say end")
	t.do, t.endsEarly, t.want = do, true, w
	t.want.lines = []string{begun}
	return t
}

// evicted is a job that loses its instance, which is the system's failure. Two
// runners may take it for the script's: with executor instance fleeting's
// connector makes exit code 0 of whatever ends a command (newExitError in
// connector/ssh.go), and 15.11 was seen to with docker-autoscaler.
func evicted(executor string, runner testbed.RunnerVersion) trial {
	w := want{state: jobapi.Failed, reason: systemError}
	if executor == testbed.Instance || runner.Major < 16 {
		w.alt = scriptError
	}
	return endless("evicted", evict, w)
}

// timeout is a job that takes too long. Its time begins before its instance is
// there.
func timeout() trial {
	t := endless("timeout", nothing, want{state: jobapi.Failed, reason: timedOut})
	t.Timeout = 25
	return t
}

// large has a log that a runner sends in several parts of a megabyte.
func large() trial {
	const count = 20_000
	filling := strings.Repeat("x", 80)
	program := fmt.Sprintf(`awk 'BEGIN { for (i = 1; i <= %d; i++) printf "said:large:%%06d %s\n", i }'`, count, filling)
	var lines []string
	for i := range count {
		lines = append(lines, fmt.Sprintf("%06d %s", i+1, filling))
	}
	return job("large", program).passes(lines...)
}

// slow has a log that comes bit by bit. While it runs, the process group of runner
// and plugin gets SIGHUP.
func slow() trial {
	t := job("slow", "for i in $(seq 8); do say $i; sleep 1; done").passes("1", "2", "3", "4", "5", "6", "7", "8")
	t.do = hangUp
	return t
}

func variables() trial {
	const secret = "correct-horse-battery"
	t := job("variables", `say "$GREETING"`, `say "$(cat "$LETTER")"`, `say "$SECRET" "${#SECRET}"`).
		passes("it's a \"$PATH\" of 100%", "two\tparts", fmt.Sprintf("[MASKED] %d", len(secret)))
	t.Variables = []jobapi.Variable{
		{Key: "GREETING", Value: `it's a "$$PATH" of 100%`}, // GitLab's $$ is a dollar
		{Key: "LETTER", Value: "two\tparts", File: true},
		{Key: "SECRET", Value: secret, Masked: true},
	}
	t.want.hidden = secret
	return t
}
