package jobapi

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// credentials are the fields of a runner's requests that matter here.
type credentials struct {
	Token      string `json:"token"`
	LastUpdate string `json:"last_update"`
	Info       struct {
		Features struct {
			CancelGracefully bool `json:"cancel_gracefully"` // 16.10 and later can, 15.11 cannot
		} `json:"features"`
	} `json:"info"`
}

// decode reads a request's JSON. If it cannot it responds and reports false.
func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		fail(w, http.StatusBadRequest, "400 Bad request - "+err.Error())
		return false
	}
	return true
}

// authenticate reads a request that must have the runner's token. If it has not
// it responds and reports false.
func (s *Server) authenticate(w http.ResponseWriter, r *http.Request) (c credentials, ok bool) {
	if !decode(w, r, &c) {
		return c, false
	}
	if subtle.ConstantTimeCompare([]byte(c.Token), []byte(s.config.Token)) != 1 {
		fail(w, http.StatusForbidden, "403 Forbidden")
		return c, false
	}
	return c, true
}

func (s *Server) verify(w http.ResponseWriter, r *http.Request) {
	if c, ok := s.authenticate(w, r); ok {
		respond(w, http.StatusOK, object{"id": 1, "token": c.Token, "token_expires_at": nil})
	}
}

// lastUpdate names the state of the queue that a runner has seen. It comes with
// the response that there is no job, and back with the next request.
const lastUpdate = "X-GitLab-Last-Update"

func (s *Server) request(w http.ResponseWriter, r *http.Request) {
	c, ok := s.authenticate(w, r)
	if !ok {
		return
	}
	s.countRequest(1)
	defer s.countRequest(-1)
	if c.LastUpdate != "" { // wait until the queue is no longer as the runner has seen it
		ctx, cancel := context.WithTimeout(r.Context(), s.config.LongPoll)
		defer cancel()
		_ = s.await(ctx, func() bool { return s.queueLocked() != c.LastUpdate }) // then there may be no job
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	next := slices.IndexFunc(s.jobs, func(j *record) bool { return j.State == Pending })
	if next < 0 || r.Context().Err() != nil { // a runner that has gone gets no job
		w.Header().Set(lastUpdate, s.queueLocked())
		w.WriteHeader(http.StatusNoContent)
		return
	}
	job := s.jobs[next]
	job.State, job.Began, job.graceful = Running, time.Now(), c.Info.Features.CancelGracefully
	s.announceLocked()
	respond(w, http.StatusCreated, job.payload("http://"+r.Host))
}

// queueLocked is the state of the queue: jobs only come.
func (s *Server) queueLocked() string { return strconv.Itoa(len(s.jobs)) }

func (s *Server) countRequest(change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking += change
	s.asked = time.Now()
}

// updateInterval is how many seconds GitLab asks a runner to wait before its
// next update of a job that somebody watches; for others it asks for 60.
const updateInterval = "1"

// trace appends to a job's log. A part that does not begin where the log ends is
// refused, and the response has the right offset.
func (s *Server) trace(w http.ResponseWriter, r *http.Request) {
	part, err := io.ReadAll(r.Body)
	if err != nil {
		return // the runner has gone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	job := s.jobLocked(w, r, r.Header.Get("JOB-TOKEN"))
	switch {
	case job == nil:
		return
	case r.Header.Get("Content-Range") == "":
		fail(w, http.StatusBadRequest, "400 Missing header Content-Range")
		return
	}
	from := len(job.Log)
	if r.Header.Get("Content-Range") != fmt.Sprintf("%d-%d", from, from+len(part)-1) {
		job.Misplaced++
		w.Header().Set("Range", fmt.Sprintf("0-%d", from))
		fail(w, http.StatusRequestedRangeNotSatisfiable, "416 Range Not Satisfiable")
		return
	}
	job.Log = append(job.Log, part...)
	s.announceLocked()
	w.Header().Set("Range", fmt.Sprintf("0-%d", len(job.Log)))
	w.Header().Set("X-GitLab-Trace-Update-Interval", updateInterval)
	respond(w, http.StatusAccepted, object{})
}

// result is what a runner reports of a job.
type result struct {
	Token         string `json:"token"`
	State         State  `json:"state"`
	FailureReason string `json:"failure_reason"`
	ExitCode      int    `json:"exit_code"`
	Output        struct {
		Checksum string `json:"checksum"`
		Bytesize *int   `json:"bytesize"` // runners send it since 13.8
	} `json:"output"`
}

// update takes a sign of life or a final state. GitLab accepts that (200) whether
// or not the log is the one that the runner has, and counts logs that are not;
// with 202 it only asks the runner to wait until it has stored the log
// (app/services/ci/update_build_state_service.rb). Nor does this server repair
// logs.
func (s *Server) update(w http.ResponseWriter, r *http.Request) {
	var reported result
	if !decode(w, r, &reported) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	job := s.jobLocked(w, r, reported.Token)
	switch {
	case job == nil:
	case reported.State == Running:
		w.Header().Set("X-GitLab-Trace-Update-Interval", updateInterval)
		respond(w, http.StatusOK, object{})
	case reported.State != Success && reported.State != Failed:
		fail(w, http.StatusBadRequest, fmt.Sprintf("400 Bad request - state %q", reported.State))
	default:
		s.finish(w, job, reported)
	}
}

func (s *Server) finish(w http.ResponseWriter, job *record, reported result) {
	sum := fmt.Sprintf("crc32:%08x", crc32.ChecksumIEEE(job.Log))
	switch {
	case reported.Output.Bytesize != nil && *reported.Output.Bytesize != len(job.Log):
		job.Corrupt = fmt.Sprintf("%d bytes, the runner has %d", len(job.Log), *reported.Output.Bytesize)
	case reported.Output.Checksum != "" && reported.Output.Checksum != sum:
		job.Corrupt = fmt.Sprintf("%s, the runner has %s", sum, reported.Output.Checksum)
	}
	if job.State == Canceling { // whatever the runner reports
		job.end(Canceled)
	} else {
		job.FailureReason, job.ExitCode = reported.FailureReason, reported.ExitCode
		job.end(reported.State)
	}
	job.reported, job.ReactedAt = true, job.Ended
	s.announceLocked()
	w.Header().Set("Job-Status", string(job.State))
	respond(w, http.StatusOK, object{})
}

// artifacts keeps the files that a job uploads.
func (s *Server) artifacts(w http.ResponseWriter, r *http.Request) {
	var content []byte
	file, header, err := r.FormFile("file")
	if err == nil {
		content, err = io.ReadAll(file)
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "400 Bad request - "+err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	job := s.jobLocked(w, r, r.Header.Get("JOB-TOKEN"))
	if job == nil {
		return
	}
	job.Uploads[header.Filename] = content
	s.announceLocked()
	respond(w, http.StatusCreated, object{})
}
