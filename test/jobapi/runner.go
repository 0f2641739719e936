package jobapi

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds what a request may hold; a runner's own limit of a log is 4 MiB.
const maxBody = 64 << 20

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
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(into); err != nil {
		fail(w, http.StatusBadRequest, "400 Bad request - "+err.Error())
		return false
	}
	return true
}

func (s *Server) verify(w http.ResponseWriter, r *http.Request) {
	var c credentials
	if !decode(w, r, &c) {
		return
	}
	if _, known := s.runner(c.Token); !known {
		fail(w, http.StatusForbidden, "403 Forbidden")
		return
	}
	respond(w, http.StatusOK, object{"id": 1, "token": c.Token, "token_expires_at": nil})
}

// lastUpdate names the state of the queue that a runner has seen. It comes with
// the response that there is no job, and back with the next request.
const lastUpdate = "X-GitLab-Last-Update"

func (s *Server) request(w http.ResponseWriter, r *http.Request) {
	var c credentials
	if !decode(w, r, &c) {
		return
	}
	name, known := s.runner(c.Token)
	if !known {
		fail(w, http.StatusForbidden, "403 Forbidden")
		return
	}
	s.countRequest(1)
	defer s.countRequest(-1)
	if c.LastUpdate != "" {
		s.awaitChange(r, c.LastUpdate)
	}
	s.assign(w, r, name, c.Info.Features.CancelGracefully)
}

func (s *Server) assign(w http.ResponseWriter, r *http.Request, name string, graceful bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	job := s.nextLocked(name)
	if job == nil || r.Context().Err() != nil { // a runner that has gone gets no job
		w.Header().Set(lastUpdate, strconv.Itoa(s.version))
		w.WriteHeader(http.StatusNoContent)
		return
	}
	job.State, job.Began, job.graceful = Running, time.Now(), graceful
	s.announceLocked()
	respond(w, http.StatusCreated, job.payload("http://"+r.Host))
}

func (s *Server) countRequest(change int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking += change
	s.asked = time.Now()
}

// awaitChange waits until the queue is no longer as the runner has seen it.
func (s *Server) awaitChange(r *http.Request, seen string) {
	ctx, cancel := context.WithTimeout(r.Context(), s.config.LongPoll)
	defer cancel()
	_ = s.await(ctx, func() bool { return strconv.Itoa(s.version) != seen }) // then there may be no job
}

// updateInterval is how many seconds GitLab asks a runner to wait before its
// next update of a job that somebody watches; for others it asks for 60.
const updateInterval = "1"

// trace appends to a job's log. A part that does not begin where the log ends is
// refused, and the response has the right offset.
func (s *Server) trace(w http.ResponseWriter, r *http.Request) {
	part, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
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
	fits := r.Header.Get("Content-Range") == fmt.Sprintf("%d-%d", from, from+len(part)-1)
	if fits {
		job.Log = append(job.Log, part...)
		s.announceLocked()
	} else {
		job.Misplaced++
	}
	w.Header().Set("Range", fmt.Sprintf("0-%d", len(job.Log)))
	if !fits {
		fail(w, http.StatusRequestedRangeNotSatisfiable, "416 Range Not Satisfiable")
		return
	}
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
	name, content, err := upload(r)
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
	job.Uploads[name] = content
	s.announceLocked()
	respond(w, http.StatusCreated, object{})
}

// upload reads the file of a multipart form, which a runner sends in parts
// without their lengths.
func upload(r *http.Request) (name string, content []byte, err error) {
	form, err := r.MultipartReader()
	if err != nil {
		return "", nil, err
	}
	for {
		part, err := form.NextPart()
		if err != nil {
			return "", nil, fmt.Errorf("no file: %w", err)
		}
		if part.FormName() != "file" {
			continue
		}
		content, err := io.ReadAll(io.LimitReader(part, maxBody))
		return strings.TrimSpace(part.FileName()), content, err
	}
}
