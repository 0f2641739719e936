package armsim

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

// Server is a running simulator. Its exported fields do not change after New.
// All methods may be called from any goroutine.
type Server struct {
	Endpoint        string // of Resource Manager, Entra ID and metadata; https, no trailing slash
	Audience        string // of tokens for Resource Manager
	ControlEndpoint string // http, no trailing slash
	CAPEM           []byte // certificate authority of Endpoint
	CAFile          string // the same, as a file
	SSHPort         int    // of every machine; 0 without machines
	Seed            uint64
	Principal       Principal // the first one that may log in, secret included

	config   Config
	identity *identity
	routes   []route
	cleanup  []func()
	forget   func() // removes a temporary state directory
	shutdown sync.Once
	tasks    sync.WaitGroup

	machineDir string

	mu           sync.Mutex // guards all below, and is held while time moves
	time         *timeline
	rand         *mathrand.Rand
	groups       map[string]*group
	operations   map[string]*operation
	limiter      limiter
	journal      journal
	notSimulated []string
	privatePool  *machine.Pool
	publicPool   *machine.Pool
	created      int
	evicted      int
	suffixes     map[string]bool // of names, ever given
	sixth        uint64          // IPv6 address, the last given
	lived        time.Duration   // of instances that are gone
	rules        []*rule
	ruled        uint64   // rules ever
	planned      uint64   // events ever
	recent       []kept   // answers, oldest first, while a rule may need them
	held         []func() // deletions that are stuck
	doom         *Failure // of the operation that the present request starts
	closed       bool
	handlers     sync.WaitGroup // requests under way; none begins once closed
	closing      chan struct{}
}

// New starts a simulator on free loopback ports. Close ends it. The error says
// what could not be set up, as ports, files, or Linux's loopback addresses for
// the machines.
func New(c Config) (*Server, error) {
	c = c.withDefaults()
	if len(c.Principals) == 0 {
		c.Principals = []Principal{{ClientID: DefaultClientID, Secret: randomHex(20)}}
	}
	s := &Server{
		Seed: c.Seed, Principal: c.Principals[0], config: c, routes: newRoutes(), rand: mathrand.New(mathrand.NewPCG(c.Seed, 1)),
		groups: map[string]*group{}, suffixes: map[string]bool{}, operations: map[string]*operation{},
		limiter: limiter{enforce: c.Throttle, buckets: map[string]*bucket{}},
		journal: journal{counts: map[string]int{}},
		closing: make(chan struct{}),
	}
	s.time = newTimeline(&s.mu, c.Virtual, c.TimeScale)
	s.addGroup(c.ResourceGroup, c.Location)
	for _, step := range s.steps() {
		if err := step(); err != nil {
			s.Close()
			return nil, fmt.Errorf("start armsim: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.planEviction(c.Evictions.Max)
	return s, nil
}

func randomHex(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails, see crypto/rand
	return hex.EncodeToString(raw)
}

func (s *Server) openDir() error {
	if s.config.StateDir != "" {
		return os.MkdirAll(s.config.StateDir, 0o700)
	}
	dir, err := os.MkdirTemp("", "armsim-")
	if err != nil {
		return err
	}
	s.config.StateDir = dir
	s.forget = func() { _ = os.RemoveAll(dir) }
	return nil
}

// openMachines picks the addresses, the private and the public half of a /16
// of 127.0.0.0/8, and the one SSH port unless it is given.
func (s *Server) openMachines() (err error) {
	if err := machine.CheckEnv(s.config.MachineEnv); err != nil {
		return err
	}
	net16 := byte(16 + s.rand.IntN(224))
	whole := netip.PrefixFrom(netip.AddrFrom4([4]byte{127, net16, 0, 0}), 16)
	if s.privatePool, err = machine.NewPool(netip.PrefixFrom(whole.Addr(), 17)); err != nil {
		return err
	}
	upper := netip.AddrFrom4([4]byte{127, net16, 128, 0})
	if s.publicPool, err = machine.NewPool(netip.PrefixFrom(upper, 17)); err != nil {
		return err
	}
	if s.config.NoMachines {
		return nil
	}
	if err := machine.Supported(); err != nil {
		return err
	}
	s.machineDir = filepath.Join(s.config.StateDir, "machines")
	if err := os.MkdirAll(s.machineDir, 0o700); err != nil {
		return err
	}
	port, release, err := machine.ReservePort(whole, s.config.SSHPort)
	if err != nil {
		return err
	}
	s.SSHPort = port
	s.cleanup = append(s.cleanup, release)
	return nil
}

// openIdentity gives tokens times of the simulated clock; its callers hold the
// lock.
func (s *Server) openIdentity() (err error) {
	s.identity, err = newIdentity(s.config, s.time.now)
	return err
}

func (s *Server) listen() error {
	ca, cert, err := certificates()
	if err != nil {
		return err
	}
	s.CAPEM, s.CAFile = ca, filepath.Join(s.config.StateDir, "ca.pem")
	if err := os.WriteFile(s.CAFile, ca, 0o600); err != nil {
		return err
	}
	arm, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, arm.Close())
	}
	s.Endpoint, s.ControlEndpoint = "https://"+arm.Addr().String(), "http://"+control.Addr().String()
	s.Audience = s.Endpoint + "/"
	s.cleanup = append(s.cleanup, s.dismantle)
	s.serve(control, http.HandlerFunc(s.serveControl))
	s.serve(tls.NewListener(arm, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}),
		http.HandlerFunc(s.ServeHTTP))
	return nil
}

func (s *Server) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	s.background(func() { _ = server.Serve(l) }) // ends with ErrServerClosed
	s.cleanup = append(s.cleanup, func() { _ = server.Close() })
}

// ServeHTTP answers Entra ID, metadata and Resource Manager requests. It panics
// with http.ErrAbortHandler where a fault cuts the connection, and once the
// simulator is closed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.enter()
	defer s.handlers.Done()
	if !s.serveEntra(w, r) {
		s.serveARM(w, r)
	}
}

// enter counts a request in, so that Close waits for it.
func (s *Server) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		panic(http.ErrAbortHandler)
	}
	s.handlers.Add(1)
}

// background runs f beside the simulator; Close waits for it.
func (s *Server) background(f func()) { s.tasks.Go(f) }

// dismantle destroys the machines that are left.
func (s *Server) dismantle() {
	s.mu.Lock()
	var machines []*machine.Machine
	for set := range s.scaleSets() {
		for _, i := range set.instances {
			i.life++
			if i.machine != nil {
				machines = append(machines, i.machine)
			}
		}
	}
	s.mu.Unlock()
	for _, m := range machines {
		m.Destroy()
	}
}

// Close ends the simulator: the endpoints close, all machines die with what
// runs on them, and a temporary state directory is removed.
func (s *Server) Close() {
	s.shutdown.Do(func() {
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		close(s.closing)
		for i := len(s.cleanup) - 1; i >= 0; i-- {
			s.cleanup[i]()
		}
		s.handlers.Wait()
		s.tasks.Wait()
		s.dismantle() // what was born while the listeners closed
		if s.forget != nil {
			s.forget()
		}
	})
}

// Advance moves virtual time. It does nothing to real time.
func (s *Server) Advance(d time.Duration) {
	if s.config.Virtual {
		s.time.advance(d)
	}
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
