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
	mux.HandleFunc("GET "+jobs+"/{id}", s.withJob(func(w http.ResponseWriter, j Job) { respond(w, http.StatusOK, j) }))
	mux.HandleFunc("GET "+jobs+"/{id}/log", s.withJob(func(w http.ResponseWriter, j Job) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write(j.Log) // fails if the client has gone
	}))
	mux.HandleFunc("POST "+jobs+"/{id}/cancel", s.withJob(func(w http.ResponseWriter, j Job) {
		if err := s.Cancel(j.ID); err != nil {
			fail(w, http.StatusConflict, err.Error())
			return
		}
		respond(w, http.StatusOK, s.Jobs()[j.ID-1])
	}))
	want := []byte("Bearer " + s.config.ControlToken)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			fail(w, http.StatusUnauthorized, "401 Unauthorized - the control endpoint demands its bearer token")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *Server) controlEnqueue(w http.ResponseWriter, r *http.Request) {
	spec := Spec{Name: "job"}
	if !decode(w, r, &spec) {
		return
	}
	if strings.TrimSpace(strings.Join(spec.Script, "")) == "" {
		fail(w, http.StatusBadRequest, `a job needs a script, as {"script": ["echo hello"]}`)
		return
	}
	id := s.Enqueue(spec)
	respond(w, http.StatusCreated, s.Jobs()[id-1])
}

// withJob finds the job of a request.
func (s *Server) withJob(then func(http.ResponseWriter, Job)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id")) // no number, no job
		all := s.Jobs()
		if id < 1 || id > len(all) {
			fail(w, http.StatusNotFound, fmt.Sprintf("there is no job %q", r.PathValue("id")))
			return
		}
		then(w, all[id-1])
	}
}
