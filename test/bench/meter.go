package bench

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// request is one attempt to send a request.
type request struct {
	at     time.Duration // since the meter's start
	class  string        // method and types of resources, as "GET virtualMachineScaleSets/*"
	status int           // 0: no response
}

// meter is what lies between a plugin and the simulator: each request takes its
// time, and is counted.
type meter struct {
	next    http.RoundTripper
	latency time.Duration
	begun   time.Time

	mu       sync.Mutex
	requests []request
	open     int // responses whose bodies are not closed: connections in use
	cut      bool
}

// RoundTrip implements http.RoundTripper. Azure handles a request halfway.
func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	if m.isCut() {
		return nil, io.ErrUnexpectedEOF
	}
	one := request{at: time.Since(m.begun), class: classOf(r)}
	response, err := m.send(r)
	if response != nil {
		one.status = response.StatusCode
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, one)
	if err == nil {
		m.open++
		response.Body = &body{ReadCloser: response.Body, closed: m.close}
	}
	return response, err
}

func (m *meter) send(r *http.Request) (*http.Response, error) {
	if err := m.pass(r, m.latency/2); err != nil {
		return nil, err
	}
	response, err := m.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if err := m.pass(r, m.latency-m.latency/2); err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	return response, nil
}

func (m *meter) pass(r *http.Request, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.Context().Done():
		return r.Context().Err()
	}
}

func (m *meter) isCut() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cut
}

// end lets no request out any more.
func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cut = true
}

func (m *meter) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open--
}

// sent are the requests so far, and how many responses are still open.
func (m *meter) sent() ([]request, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.requests[:len(m.requests):len(m.requests)], m.open
}

// body reports when it is closed, once.
type body struct {
	io.ReadCloser
	once   sync.Once
	closed func()
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.once.Do(b.closed)
	return b.ReadCloser.Close()
}

// classOf is a request's method and types of resources, without their names.
func classOf(r *http.Request) string {
	_, path, found := strings.Cut(strings.ToLower(r.URL.Path), "/providers/")
	if !found {
		return r.Method + " other"
	}
	segments := strings.Split(strings.Trim(path, "/"), "/")[1:] // without the provider
	for i := 1; i < len(segments); i += 2 {
		segments[i] = "*"
	}
	class := r.Method + " " + strings.Join(segments, "/")
	return canonical.Replace(class)
}

// canonical has Azure's spelling of what requests spell in any way.
var canonical = strings.NewReplacer(
	"virtualmachinescalesets", "virtualMachineScaleSets", "virtualmachines", "virtualMachines",
	"networkinterfaces", "networkInterfaces", "publicipaddresses", "publicIPAddresses", "instanceview", "instanceView",
)
