package jobapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/jobapi"
)

func TestCancel(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	id := s.Enqueue(jobapi.Spec{Name: "one"})
	path, jobToken := s.take()
	require.NoError(t, s.Cancel(id))
	assert.True(t, s.Jobs()[0].ReactedAt.IsZero(), "the runner has not been told yet")
	for name, response := range map[string]*httptest.ResponseRecorder{
		"trace":     s.patch(path, jobToken, "0-0", "a"),
		"update":    s.finish(path, jobToken, "", jobapi.Success),
		"artifacts": s.upload(path, jobToken, "a.zip", "content"),
	} {
		assert.Equal(t, http.StatusForbidden, response.Code, name)
		assert.Equal(t, "canceled", response.Header().Get("Job-Status"), name)
	}
	job := s.Jobs()[0]
	assert.Equal(t, jobapi.Canceled, job.State)
	assert.Zero(t, job.Late, "so the runner is told")
	assert.False(t, job.ReactedAt.Before(job.CanceledAt))
	require.ErrorContains(t, s.Cancel(7), "there is no such job")

	waiting := s.Enqueue(jobapi.Spec{Name: "waiting"})
	require.NoError(t, s.Cancel(waiting))
	assert.Equal(t, http.StatusNoContent, s.ask().Code, "nobody is given a cancelled job")
}

func TestCancelInGrace(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	s.features = map[string]any{"cancel_gracefully": true}
	id := s.Enqueue(jobapi.Spec{Name: "one"})
	path, jobToken := s.take()
	require.NoError(t, s.Cancel(id))
	require.NoError(t, s.Cancel(id), "impatience is no error")
	for name, response := range map[string]*httptest.ResponseRecorder{
		"trace":        s.patch(path, jobToken, "0-2", "log"),
		"sign of life": s.finish(path, jobToken, "log", jobapi.Running),
		"artifacts":    s.upload(path, jobToken, "a.zip", "content"),
	} {
		assert.Less(t, response.Code, 300, name)
		assert.Equal(t, "canceling", response.Header().Get("Job-Status"), name)
	}
	job := s.Jobs()[0]
	assert.Equal(t, []any{jobapi.Canceling, false, true}, []any{job.State, job.Done(), job.ReactedAt.IsZero()})

	last := s.finish(path, jobToken, "log", jobapi.Failed, "failure_reason", "script_failure", "exit_code", 1)
	assert.Equal(t, []any{http.StatusOK, "canceled"}, []any{last.Code, last.Header().Get("Job-Status")})
	job = s.Jobs()[0]
	assert.Equal(t, []any{jobapi.Canceled, "", 0, 0}, []any{job.State, job.FailureReason, job.ExitCode, job.Late})
	assert.False(t, job.ReactedAt.Before(job.CanceledAt))
	s.finish(path, jobToken, "log", jobapi.Failed)
	assert.Equal(t, 1, s.Jobs()[0].Late)
}

func TestControl(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	const jobs = "/control/jobs"
	control := func(method, path string, body any) *httptest.ResponseRecorder {
		return s.send(method, path, body, "Authorization", "Bearer "+secret)
	}
	assert.Equal(t, http.StatusBadRequest, control("POST", jobs, map[string]any{"script": []string{" "}}).Code)
	assert.Equal(t, http.StatusBadRequest, control("POST", jobs, []byte("{")).Code)
	made := control("POST", jobs, map[string]any{"script": []string{"true"}})
	require.Equal(t, http.StatusCreated, made.Code)
	assert.Contains(t, made.Body.String(), `"state":"pending"`)
	path, jobToken := s.take()
	s.patch(path, jobToken, "0-2", "log")
	assert.Equal(t, "log", control("GET", jobs+"/1/log", nil).Body.String())
	assert.Contains(t, control("GET", jobs, nil).Body.String(), `"log_bytes":3`)
	assert.NotContains(t, control("GET", jobs, nil).Body.String(), jobToken)
	cancelled := control("POST", jobs+"/1/cancel", nil)
	assert.Equal(t, http.StatusOK, cancelled.Code)
	assert.Contains(t, cancelled.Body.String(), `"state":"canceled"`)
	assert.Equal(t, http.StatusConflict, control("POST", jobs+"/1/cancel", nil).Code)
	assert.Equal(t, http.StatusNotFound, control("GET", jobs+"/2", nil).Code)
}

func TestControlIsNotForAll(t *testing.T) {
	t.Parallel()
	s := newSite(t, 0)
	const jobs = "/control/jobs"
	for _, header := range []string{"", "Bearer ", "Bearer other", secret} {
		for _, path := range []string{jobs, jobs + "/1/cancel"} {
			assert.Equal(t, http.StatusUnauthorized, s.send("POST", path, map[string]any{"script": []string{"true"}}, "Authorization", header).Code)
		}
		assert.Equal(t, http.StatusUnauthorized, s.send("GET", jobs, nil, "Authorization", header).Code)
	}
	assert.Empty(t, s.Jobs())

	s.Server = jobapi.New(jobapi.Config{})
	assert.Equal(t, http.StatusNotFound, s.send("POST", jobs, nil, "Authorization", "Bearer ").Code, "no token, no control")
}
