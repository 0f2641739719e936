package bench

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// replay gives each read the response that its first one got, so that the simulator's
// work is none of what is measured. Nothing changes meanwhile.
type replay struct {
	next http.RoundTripper

	mu   sync.Mutex
	seen map[string]recorded // by URL
}

type recorded struct {
	response http.Response
	body     []byte
}

// RoundTrip implements http.RoundTripper.
func (p *replay) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		return p.next.RoundTrip(r)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	one, ok := p.seen[r.URL.String()]
	if !ok {
		response, err := p.next.RoundTrip(r)
		if err != nil || response.StatusCode != http.StatusOK {
			return response, err
		}
		one.response = *response
		if one.body, err = io.ReadAll(response.Body); err != nil {
			return nil, err
		}
		if p.seen == nil {
			p.seen = map[string]recorded{}
		}
		p.seen[r.URL.String()] = one
	}
	response := one.response
	response.Header, response.Request = one.response.Header.Clone(), r
	response.Body = io.NopCloser(bytes.NewReader(one.body))
	return &response, nil
}
