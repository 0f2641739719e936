package armsim

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/arm"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/entra"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// Server is a running simulator. Its exported fields do not change after New.
// All methods may be called from any goroutine.
type Server struct {
	Endpoint        string // of Resource Manager, Entra ID and metadata; https, no trailing slash
	Audience        string // of tokens for Resource Manager
	ControlEndpoint string // http, no trailing slash

	// MetadataEndpoint is the instance metadata service of Config.Identities:
	// http, no trailing slash, empty where there is none. On Azure it is at
	// http://169.254.169.254, so that a client in Go finds it only where
	// HTTP_PROXY names it; Transport finds it at Azure's address.
	MetadataEndpoint string

	CAPEM     []byte // certificate authority of Endpoint
	CAFile    string // the same, as a file
	SSHPort   int    // of every machine; 0 without machines
	Seed      uint64
	Principal Principal // the first one that may log in, secret included

	config    Config
	issuer    *entra.Issuer
	entra     *entra.Server
	front     *arm.Front
	lifecycle *lifecycle
	state
}

// state is what the simulator is about.
type state struct {
	mu      sync.Mutex // guards all below, and is held while time moves
	clock   *world.Clock
	world   *world.World
	rules   *fault.Rules
	journal *azhttp.Journal
}

// New starts a simulator on free loopback ports. Close ends it. The error says
// what could not be set up, as ports, files, or Linux's loopback addresses for
// the machines.
func New(c Config) (*Server, error) {
	c = c.withDefaults()
	if len(c.Principals) == 0 {
		c.Principals = []Principal{{ClientID: DefaultClientID, Secret: randomHex(20)}}
	}
	s := &Server{Seed: c.Seed, Principal: c.Principals[0], config: c, lifecycle: newLifecycle()}
	for _, step := range append([]func() error{c.check}, setup{s}.steps()...) {
		if err := step(); err != nil {
			s.Close()
			return nil, fmt.Errorf("start armsim: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.StartEvictions()
	return s, nil
}

func randomHex(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails, see crypto/rand
	return hex.EncodeToString(raw)
}

// ServeHTTP responds to requests to Entra ID, metadata and Resource Manager. It
// panics with http.ErrAbortHandler where a fault cuts the connection, and once
// the simulator is closed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer s.lifecycle.beginRequest()()
	if !s.entra.ServeIdentity(w, r) && !s.serveWelcome(w, r) && !s.entra.Serve(w, r) {
		s.front.ServeHTTP(w, r)
	}
}

// Close ends the simulator: the endpoints close, all machines die with what
// runs on them, and a temporary state directory is removed.
func (s *Server) Close() { s.lifecycle.close(s.destroyMachines) }

// destroyMachines destroys the machines that are left.
func (s *Server) destroyMachines() {
	if s.world == nil {
		return
	}
	s.mu.Lock()
	machines := s.world.SwitchOff()
	s.mu.Unlock()
	for _, m := range machines {
		m.Destroy()
	}
}

// Advance moves virtual time. It does nothing to real time.
func (s *Server) Advance(d time.Duration) {
	if !s.config.Virtual {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.Advance(d)
}

// TB is the part of testing.TB that Start needs.
type TB interface {
	Helper()
	Cleanup(func())
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Start starts a simulator for a test, logs its seed and ends it with the test.
func Start(t TB, c Config) *Server {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	t.Cleanup(s.Close)
	t.Logf("armsim seed %d", s.Seed)
	return s
}
