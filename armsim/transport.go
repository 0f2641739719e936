package armsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Transport hands requests straight to the simulator, without a network. A
// request runs in its caller's goroutine. A connection that a fault cuts is
// io.ErrUnexpectedEOF, as is a simulator that was closed.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

// RoundTrip responds to r as the server does.
func (t transport) RoundTrip(r *http.Request) (response *http.Response, err error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if e, ok := cause.(error); !ok || !errors.Is(e, http.ErrAbortHandler) {
			panic(cause)
		}
		if response, err = nil, ctx.Err(); err == nil {
			err = io.ErrUnexpectedEOF
		}
	}()
	w := &recorder{header: http.Header{}}
	t.server.ServeHTTP(w, asServed(r))
	return w.response(r), nil
}

// asServed is the request as a server sees it; a client's own must not change.
func asServed(r *http.Request) *http.Request {
	served := *r
	if served.Host == "" {
		served.Host = r.URL.Host
	}
	if served.Body == nil {
		served.Body = http.NoBody
	}
	served.RequestURI = r.URL.RequestURI()
	return &served
}

// recorder keeps what a handler writes.
type recorder struct {
	header http.Header
	status int
	body   []byte
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, p...)
	return len(p), nil
}

func (w *recorder) response(r *http.Request) *http.Response {
	w.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: w.header,
		Body: io.NopCloser(bytes.NewReader(w.body)), ContentLength: int64(len(w.body)), Request: r,
	}
}
