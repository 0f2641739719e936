package jobapi

import (
	"crypto/subtle"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// control is what people use by curl, with the token:
//
//	POST /control/jobs            a Spec as JSON; returns the job
//	GET  /control/jobs            all jobs
//	GET  /control/jobs/ID         one
//	GET  /control/jobs/ID/log     its log
//	POST /control/jobs/ID/cancel
//
// Who may queue a job may run a script on this machine. Its other users must not,
// nor a web page that finds the port.
func (s *Server) control() http.Handler {
	const jobs = "/control/jobs"
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+jobs, s.controlEnqueue)
	mux.HandleFunc("GET "+jobs, func(w http.ResponseWriter, _ *http.Request) { respond(w, http.StatusOK, s.Jobs()) })
	mux.HandleFunc("GET "+jobs+"/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.controlJob(w, r, func(j Job) { respond(w, http.StatusOK, j) })
	})
	mux.HandleFunc("GET "+jobs+"/{id}/log", func(w http.ResponseWriter, r *http.Request) {
		s.controlJob(w, r, func(j Job) {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = w.Write(j.Log) // fails if the client has gone
		})
	})
	mux.HandleFunc("POST "+jobs+"/{id}/cancel", func(w http.ResponseWriter, r *http.Request) {
		s.controlJob(w, r, func(j Job) {
			if err := s.Cancel(j.ID); err != nil {
				fail(w, http.StatusConflict, err.Error())
				return
			}
			s.controlJob(w, r, func(j Job) { respond(w, http.StatusOK, j) })
		})
	})
	return s.guard(mux)
}

func (s *Server) guard(next http.Handler) http.Handler {
	want := []byte("Bearer " + s.config.ControlToken)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			fail(w, http.StatusUnauthorized, "401 Unauthorized - the control endpoint demands its bearer token")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) controlEnqueue(w http.ResponseWriter, r *http.Request) {
	var spec Spec
	if !decode(w, r, &spec) {
		return
	}
	if strings.TrimSpace(strings.Join(spec.Script, "")) == "" {
		fail(w, http.StatusBadRequest, `a job needs a script, as {"script": ["echo hello"]}`)
		return
	}
	if spec.Name == "" {
		spec.Name = "job"
	}
	id := s.Enqueue(spec)
	respond(w, http.StatusCreated, s.Jobs()[id-1])
}

func (s *Server) controlJob(w http.ResponseWriter, r *http.Request, then func(Job)) {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64) // no number, no job
	all := s.Jobs()
	if id < 1 || id > int64(len(all)) {
		fail(w, http.StatusNotFound, fmt.Sprintf("there is no job %q", r.PathValue("id")))
		return
	}
	then(all[id-1])
}
