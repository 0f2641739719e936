package jobapi

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Config sets a server up.
type Config struct {
	// Token is the runner's.
	Token string

	// LongPoll is how long a runner that has seen the present state of the queue
	// waits for a change; 0: not at all.
	LongPoll time.Duration

	// ControlToken is the bearer token of the control endpoint; empty: there is
	// no such endpoint.
	ControlToken string
}

// Server is GitLab as a runner sees it. Its methods may be called from any
// goroutine.
type Server struct {
	config Config
	mux    *http.ServeMux

	mu      sync.Mutex
	jobs    []*record
	changed chan struct{} // closed with the next change of anything
	asking  int           // open requests for a job
	asked   time.Time     // when the last of them ended
}

// New makes a server without jobs.
func New(c Config) *Server {
	s := &Server{config: c, mux: http.NewServeMux(), changed: make(chan struct{})}
	const api = "/api/v4"
	s.mux.HandleFunc("POST "+api+"/runners/verify", s.verify)
	s.mux.HandleFunc("POST "+api+"/jobs/request", s.request)
	s.mux.HandleFunc("PATCH "+api+"/jobs/{id}/trace", s.trace)
	s.mux.HandleFunc("PUT "+api+"/jobs/{id}", s.update)
	s.mux.HandleFunc("POST "+api+"/jobs/{id}/artifacts", s.artifacts)
	if c.ControlToken != "" {
		s.mux.Handle("/control/", s.control())
	}
	return s
}

// maxBody bounds what a request may hold; a runner's own limit of a log is 4 MiB.
const maxBody = 64 << 20

// ServeHTTP serves runners and the control endpoint.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	s.mux.ServeHTTP(w, r)
}

// Enqueue adds a job at the queue's end and returns its ID.
func (s *Server) Enqueue(spec Spec) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &record{token: rand.Text()}
	r.Spec, r.ID, r.State, r.Uploads = spec, int64(len(s.jobs)+1), Pending, map[string][]byte{}
	s.jobs = append(s.jobs, r)
	s.announceLocked()
	return r.ID
}

// Cancel does what the button does: the runner is told in the response to its next
// request. A runner that can cancel gracefully reports the end itself; for others
// the job ends at once. It returns an error if there is no such job or it has ended.
func (s *Server) Cancel(id int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.findLocked(id)
	switch {
	case r == nil:
		return fmt.Errorf("cancel job %d: there is no such job", id)
	case r.Done():
		return fmt.Errorf("cancel job %d: it has ended: %s", id, r.State)
	}
	if r.CanceledAt.IsZero() {
		r.CanceledAt = time.Now()
	}
	if r.State == Pending || !r.graceful {
		r.end(Canceled)
	} else {
		r.State = Canceling
	}
	s.announceLocked()
	return nil
}

// Jobs returns all jobs, oldest first.
func (s *Server) Jobs() []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []Job{}
	for _, r := range s.jobs {
		all = append(all, r.clone())
	}
	return all
}

// Wait waits until ready reports true of the job, and returns it. If ctx ends
// first, the error has the job's state.
func (s *Server) Wait(ctx context.Context, id int64, ready func(Job) bool) (Job, error) {
	var job Job
	err := s.await(ctx, func() bool {
		r := s.findLocked(id)
		if r != nil {
			job = r.clone()
		}
		return r == nil || ready(job)
	})
	switch {
	case job.ID == 0:
		err = fmt.Errorf("wait for job %d: there is no such job", id)
	case err != nil:
		err = fmt.Errorf("wait for job %d %q, which is %s: %w", id, job.Name, job.State, err)
	}
	return job, err
}

// await waits until ready, which is called under the lock, reports true.
func (s *Server) await(ctx context.Context, ready func() bool) error {
	for {
		s.mu.Lock()
		ok, changed := ready(), s.changed
		s.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Silence is for how long no runner has asked for a job.
func (s *Server) Silence() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asking > 0 {
		return 0
	}
	return time.Since(s.asked)
}

// announceLocked wakes all that wait for a change.
func (s *Server) announceLocked() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *Server) findLocked(id int64) *record {
	if id < 1 || id > int64(len(s.jobs)) {
		return nil
	}
	return s.jobs[id-1]
}

// jobLocked finds the running job of a request whose sender has its token. If there
// is none it responds, and returns nil.
func (s *Server) jobLocked(w http.ResponseWriter, r *http.Request, token string) *record {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64) // no number, no job
	found := s.findLocked(id)
	if found == nil {
		fail(w, http.StatusNotFound, "404 Not found")
		return nil
	}
	if subtle.ConstantTimeCompare([]byte(found.token), []byte(token)) != 1 {
		fail(w, http.StatusForbidden, "403 Forbidden")
		return nil
	}
	w.Header().Set("Job-Status", string(found.State))
	if !found.Done() {
		return found
	}
	// That is how a runner is told of a cancellation; after its own final report it
	// should not ask.
	if found.reported {
		found.Late++
	} else if found.ReactedAt.IsZero() {
		found.ReactedAt = time.Now()
	}
	s.announceLocked()
	fail(w, http.StatusForbidden, "403 Forbidden - Job is not running")
	return nil
}

func fail(w http.ResponseWriter, status int, message string) {
	respond(w, status, object{"message": message})
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // fails if the client has gone
}
