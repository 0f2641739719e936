package jobapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/jobapi"
)

const (
	token    = "glrt-runner"
	secret   = "of-control"
	patience = 10 * time.Second
)

// site is a server, and a client of it.
type site struct {
	*jobapi.Server
	t        *testing.T
	features map[string]any // that the runner announces
}

func newSite(t *testing.T, longPoll time.Duration) *site {
	t.Helper()
	return &site{Server: jobapi.New(jobapi.Config{Token: token, LongPoll: longPoll, ControlToken: secret}), t: t}
}

func (s *site) send(method, path string, body any, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	content, raw := body.([]byte)
	if !raw {
		var err error
		content, err = json.Marshal(body)
		require.NoError(s.t, err)
	}
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, bytes.NewReader(content))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response := httptest.NewRecorder()
	s.ServeHTTP(response, r)
	return response
}

// ask asks for a job.
func (s *site) ask() *httptest.ResponseRecorder {
	return s.send("POST", "/api/v4/jobs/request", map[string]any{"token": token, "info": map[string]any{"features": s.features}})
}

// take is given a job, and returns its path and its token.
func (s *site) take() (path, jobToken string) {
	s.t.Helper()
	response := s.ask()
	require.Equal(s.t, http.StatusCreated, response.Code)
	var job struct {
		ID    int64
		Token string
	}
	require.NoError(s.t, json.Unmarshal(response.Body.Bytes(), &job))
	return fmt.Sprintf("/api/v4/jobs/%d", job.ID), job.Token
}

func (s *site) patch(path, jobToken, span, text string) *httptest.ResponseRecorder {
	return s.send("PATCH", path+"/trace", []byte(text), "JOB-TOKEN", jobToken, "Content-Range", span)
}

// finish reports how a job with this log ended.
func (s *site) finish(path, jobToken, log string, state jobapi.State, more ...any) *httptest.ResponseRecorder {
	body := map[string]any{"token": jobToken, "state": state, "output": map[string]any{
		"bytesize": len(log), "checksum": fmt.Sprintf("crc32:%08x", crc32.ChecksumIEEE([]byte(log))),
	}}
	for i := 0; i < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return s.send("PUT", path, body)
}

func TestWrongTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	s.Enqueue(jobapi.Spec{Name: "one"})
	wrong := map[string]any{"token": "glrt-wrong"}
	assert.Equal(t, http.StatusForbidden, s.send("POST", "/api/v4/runners/verify", wrong).Code)
	assert.Equal(t, http.StatusForbidden, s.send("POST", "/api/v4/jobs/request", wrong).Code)
	assert.Equal(t, http.StatusOK, s.send("POST", "/api/v4/runners/verify", map[string]any{"token": token}).Code)
	path, jobToken := s.take()
	for name, response := range map[string]*httptest.ResponseRecorder{
		"trace":     s.patch(path, "wrong", "0-0", "a"),
		"update":    s.finish(path, "wrong", "", jobapi.Success),
		"artifacts": s.upload(path, "wrong", "a.zip", "content"),
		"no token":  s.patch(path, "", "0-0", "a"),
	} {
		assert.Equal(t, http.StatusForbidden, response.Code, name)
	}
	assert.Equal(t, http.StatusNotFound, s.patch("/api/v4/jobs/7", jobToken, "0-0", "a").Code)
	assert.Equal(t, http.StatusNotFound, s.patch("/api/v4/jobs/x", jobToken, "0-0", "a").Code)
	job := s.Jobs()[0]
	assert.Equal(t, jobapi.Running, job.State)
	assert.Empty(t, job.Log)
	assert.Empty(t, job.Uploads)
}

func TestJobsAreHandedOutOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	s.Enqueue(jobapi.Spec{Name: "one", Script: []string{"true"}, Timeout: 7, Variables: []jobapi.Variable{{Key: "A", Value: "b", Masked: true}}})
	response := s.ask()
	require.Equal(t, http.StatusCreated, response.Code)
	assert.Equal(t, "application/json", response.Header().Get("Content-Type"))
	var payload struct {
		Info   struct{ Name string } `json:"job_info"`
		Runner struct{ Timeout int } `json:"runner_info"`
		Steps  []struct{ Script []string }
		Vars   []map[string]any `json:"variables"`
	}
	require.NoError(t, json.Unmarshal(response.Body.Bytes(), &payload))
	assert.Equal(t, "one", payload.Info.Name)
	assert.Equal(t, 7, payload.Runner.Timeout)
	assert.Equal(t, []string{"true"}, payload.Steps[0].Script)
	assert.Contains(t, payload.Vars, map[string]any{"key": "A", "value": "b", "masked": true, "public": false, "file": false})
	assert.Equal(t, http.StatusNoContent, s.ask().Code)
	assert.Equal(t, jobapi.Running, s.Jobs()[0].State)
}

func TestLongPoll(t *testing.T) {
	t.Parallel()
	s := newSite(t, time.Hour) // only a change ends it
	seen := s.ask().Header().Get("X-GitLab-Last-Update")
	require.NotEmpty(t, seen)
	responses := make(chan *httptest.ResponseRecorder)
	go func() {
		responses <- s.send("POST", "/api/v4/jobs/request", map[string]any{"token": token, "last_update": seen})
	}()
	require.Eventually(t, func() bool { return s.Silence() == 0 }, patience, time.Millisecond, "the request is there")
	s.Enqueue(jobapi.Spec{Name: "change"})
	select {
	case response := <-responses:
		assert.Equal(t, http.StatusCreated, response.Code)
	case <-time.After(patience):
		t.Fatal("the runner still waits")
	}
	assert.Positive(t, s.Silence())
	stale := s.send("POST", "/api/v4/jobs/request", map[string]any{"token": token, "last_update": seen})
	assert.Equal(t, http.StatusNoContent, stale.Code, "who has not seen the latest gets a response at once")
}

func TestTrace(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	s.Enqueue(jobapi.Spec{Name: "one"})
	path, jobToken := s.take()
	for _, c := range []struct {
		span, text string
		status     int
		rest       string // the Range of the response
	}{
		{"0-4", "hello", http.StatusAccepted, "0-5"},
		{"5-10", " world", http.StatusAccepted, "0-11"},
		{"5-10", " world", http.StatusRequestedRangeNotSatisfiable, "0-11"}, // sent twice
		{"20-20", "!", http.StatusRequestedRangeNotSatisfiable, "0-11"},     // a gap
		{"11-15", "!", http.StatusRequestedRangeNotSatisfiable, "0-11"},     // shorter than announced
		{"11-11", "!", http.StatusAccepted, "0-12"},
		{"", "?", http.StatusBadRequest, ""},
	} {
		response := s.patch(path, jobToken, c.span, c.text)
		assert.Equal(t, c.status, response.Code, c)
		assert.Equal(t, c.rest, response.Header().Get("Range"), c)
		assert.Equal(t, "running", response.Header().Get("Job-Status"), c)
	}
	job := s.Jobs()[0]
	assert.Equal(t, []any{3, 12, "hello world!"}, []any{job.Misplaced, job.LogBytes, string(job.Log)})
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	id := s.Enqueue(jobapi.Spec{Name: "one"})
	path, jobToken := s.take()
	assert.Equal(t, http.StatusOK, s.finish(path, jobToken, "", jobapi.Running).Code, "a sign of life")
	assert.Equal(t, http.StatusBadRequest, s.finish(path, jobToken, "", "odd").Code)
	assert.Equal(t, http.StatusAccepted, s.patch(path, jobToken, "0-2", "log").Code)
	assert.Equal(t, jobapi.Running, s.Jobs()[0].State)

	last := s.finish(path, jobToken, "log", jobapi.Failed, "exit_code", 42, "failure_reason", "script_failure")
	assert.Equal(t, http.StatusOK, last.Code)
	assert.Equal(t, http.StatusForbidden, s.finish(path, jobToken, "log", jobapi.Success).Code, "too late")
	assert.Equal(t, http.StatusForbidden, s.patch(path, jobToken, "3-3", "!").Code)
	job, err := s.Wait(t.Context(), id, jobapi.Job.Done)
	require.NoError(t, err)
	assert.Equal(t, []any{jobapi.Failed, 42, "script_failure", "log", "", 2},
		[]any{job.State, job.ExitCode, job.FailureReason, string(job.Log), job.Corrupt, job.Late})
	require.ErrorContains(t, s.Cancel(id), "it has ended: failed")
}

func TestCorruptLog(t *testing.T) {
	t.Parallel()
	for sent, corrupt := range map[string]string{
		"log": "", "lo": "2 bytes, the runner has 3", "logg": "4 bytes, the runner has 3", "LOG": "crc32:19982a4f, the runner has crc32:8f3f68c5",
	} {
		s := newSite(t, 0)
		s.Enqueue(jobapi.Spec{Name: "one"})
		path, jobToken := s.take()
		s.patch(path, jobToken, fmt.Sprintf("0-%d", len(sent)-1), sent)
		assert.Equal(t, http.StatusOK, s.finish(path, jobToken, "log", jobapi.Success).Code, "GitLab takes it as it is")
		assert.Equal(t, []any{true, corrupt}, []any{s.Jobs()[0].Done(), s.Jobs()[0].Corrupt})
	}
}

// upload sends a file as a runner does, in parts of unknown length.
func (s *site) upload(path, jobToken, name, content string) *httptest.ResponseRecorder {
	s.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	file, err := form.CreateFormFile("file", name)
	require.NoError(s.t, err)
	_, err = io.WriteString(file, content)
	require.NoError(s.t, err)
	require.NoError(s.t, form.Close())
	return s.send("POST", path+"/artifacts", body.Bytes(), "JOB-TOKEN", jobToken, "Content-Type", form.FormDataContentType())
}

func TestArtifacts(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	s.Enqueue(jobapi.Spec{Name: "one", Artifacts: []string{"out"}})
	path, jobToken := s.take()
	assert.Equal(t, http.StatusCreated, s.upload(path, jobToken, "artifacts.zip", "content").Code)
	assert.Equal(t, http.StatusBadRequest, s.send("POST", path+"/artifacts", []byte("x"), "JOB-TOKEN", jobToken).Code)
	assert.Equal(t, map[string][]byte{"artifacts.zip": []byte("content")}, s.Jobs()[0].Uploads)
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	id := s.Enqueue(jobapi.Spec{Name: "one"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Wait(ctx, id, jobapi.Job.Done)
	require.ErrorContains(t, err, `wait for job 1 "one", which is pending: context canceled`)
	_, err = s.Wait(ctx, 2, jobapi.Job.Done)
	require.ErrorContains(t, err, "there is no such job")
}
