package jobapi

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"
)

// State is a job's state, in GitLab's words.
type State string

// The states of a job here.
const (
	Pending   State = "pending"
	Running   State = "running"
	Canceling State = "canceling"
	Success   State = "success"
	Failed    State = "failed"
	Canceled  State = "canceled"
)

// Spec is a job as .gitlab-ci.yml would have it.
type Spec struct {
	Name      string     `json:"name"`
	Image     string     `json:"image,omitempty"`
	Script    []string   `json:"script"`
	Variables []Variable `json:"variables,omitempty"`
	Artifacts []string   `json:"artifacts,omitempty"` // paths, uploaded whatever the job's result
	Timeout   int        `json:"timeout,omitempty"`   // seconds; 0: an hour
}

// Variable is a CI/CD variable.
type Variable struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Masked bool   `json:"masked,omitempty"`
	File   bool   `json:"file,omitempty"`
}

// Job is what is known of a job.
type Job struct {
	Spec
	ID            int64             `json:"id"`
	State         State             `json:"state"`
	FailureReason string            `json:"failure_reason,omitempty"`
	ExitCode      int               `json:"exit_code"`
	Log           []byte            `json:"-"`
	LogBytes      int               `json:"log_bytes"`
	Uploads       map[string][]byte `json:"-"` // artifacts by file name
	Began         time.Time         `json:"began,omitzero"`
	Ended         time.Time         `json:"ended,omitzero"`
	CanceledAt    time.Time         `json:"canceled_at,omitzero"`
	ReactedAt     time.Time         `json:"reacted_at,omitzero"` // when the runner reported the end, or was told of it

	// What a runner should not do.
	Misplaced int    `json:"misplaced"`         // parts of the log that do not begin where it ends
	Late      int    `json:"late"`              // requests after its final report
	Corrupt   string `json:"corrupt,omitempty"` // how the log differs from what the final report has
}

// Done reports whether the job has reached a final state.
func (j Job) Done() bool { return j.State == Success || j.State == Failed || j.State == Canceled }

func (j Job) clone() Job {
	j.Log, j.Uploads = bytes.Clone(j.Log), maps.Clone(j.Uploads)
	j.LogBytes = len(j.Log)
	return j
}

// record is a job with what only the server may know.
type record struct {
	Job
	token    string // the job's own, known to the runner that has it
	graceful bool   // that runner can cancel gracefully
	reported bool   // the runner has reported the end
}

func (r *record) end(state State) {
	r.State, r.Ended = state, time.Now()
}

// object is a JSON object.
type object = map[string]any

// payload is the response to the runner that gets the job.
func (r *record) payload(url string) object {
	timeout := r.Timeout
	if timeout == 0 {
		timeout = int(time.Hour / time.Second)
	}
	response := object{
		"id": r.ID, "token": r.token, "allow_git_fetch": false,
		"job_info":    object{"id": r.ID, "name": r.Name, "stage": "test", "project_id": 1, "project_name": "trial"},
		"git_info":    object{"repo_url": url + "/group/trial.git", "ref": "main", "ref_type": "branch", "sha": sha, "before_sha": sha, "refspecs": []string{}},
		"runner_info": object{"timeout": timeout},
		"variables":   r.variables(url),
		"steps":       []object{{"name": "script", "script": r.Script, "timeout": timeout, "when": "on_success", "allow_failure": false}},
		"services":    []object{}, "cache": []object{}, "credentials": []object{}, "dependencies": []object{},
		"artifacts": []object{},
		"features":  object{"trace_sections": true, "failure_reasons": failureReasons},
	}
	if len(r.Artifacts) > 0 {
		response["artifacts"] = []object{{"name": "artifacts", "paths": r.Artifacts, "when": "always", "artifact_type": "archive", "artifact_format": "zip"}}
	}
	if r.Image != "" {
		response["image"] = object{"name": r.Image}
	}
	return response
}

const sha = "0123456789abcdef0123456789abcdef01234567"

// failureReasons are some of those that GitLab 15.3 lets a runner report.
var failureReasons = []string{"script_failure", "runner_system_failure", "job_execution_timeout", "unknown_failure", "image_pull_failure"}

// variables are those of GitLab that most jobs need, and the job's.
func (r *record) variables(url string) []object {
	id := fmt.Sprint(r.ID)
	all := []Variable{
		{Key: "CI", Value: "true"},
		{Key: "GITLAB_CI", Value: "true"},
		{Key: "CI_SERVER_URL", Value: url},
		{Key: "CI_PROJECT_ID", Value: "1"},
		{Key: "CI_PROJECT_NAME", Value: "trial"},
		{Key: "CI_PROJECT_PATH", Value: "group/trial"},
		{Key: "CI_PIPELINE_ID", Value: "1"},
		{Key: "CI_COMMIT_SHA", Value: sha},
		{Key: "CI_COMMIT_REF_NAME", Value: "main"},
		{Key: "CI_JOB_ID", Value: id},
		{Key: "CI_JOB_NAME", Value: r.Name},
		{Key: "CI_JOB_STAGE", Value: "test"},
		{Key: "CI_JOB_URL", Value: url + "/control/jobs/" + id},
		{Key: "CI_JOB_TOKEN", Value: r.token, Masked: true},
		{Key: "GIT_STRATEGY", Value: "none"}, // there is no repository
	}
	var encoded []object
	for _, v := range slices.Concat(all, r.Variables) {
		encoded = append(encoded, object{"key": v.Key, "value": v.Value, "public": !v.Masked, "masked": v.Masked, "file": v.File})
	}
	return encoded
}
