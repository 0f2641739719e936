package armsim

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/arm"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/catalog"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/entra"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/fault"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

// setup makes what a Server consists of.
type setup struct{ *Server }

// steps are what New does, in order. Time starts last.
func (s setup) steps() []func() error {
	steps := []func() error{s.makeWorld, s.openDir, s.hostMachines, s.makeIssuer, s.grantRights, s.listen, s.listenMetadata}
	if s.config.InProcess {
		steps = []func() error{s.makeWorld, s.hostMachines, s.makeIssuer, s.grantRights, s.openInProcess}
	}
	return append(steps, s.addConfigured, s.startTime)
}

func (s setup) makeWorld() (err error) {
	c := s.config
	if err := arm.CheckNewestVersions(c.NewestAPIVersion); err != nil {
		return err
	}
	offer := catalog.New(c.Location)
	if err := offer.Change(c.Catalog); err != nil {
		return err
	}
	s.clock = world.NewClock(c.Virtual, c.TimeScale)
	s.rules = fault.NewRules(c.Seed, s.clock, arm.Operations())
	s.journal = azhttp.NewJournal()
	s.world, err = world.New(world.Config{
		SubscriptionID: c.SubscriptionID, Location: c.Location, Seed: c.Seed, Clock: s.clock,
		Boot: c.Boot, Delete: c.Delete, Power: c.Power, Suspension: c.Suspension, Polite: c.Polite, ParallelWrites: c.ParallelWrites,
		CoreQuota: c.CoreQuota, Evictions: c.Evictions, Unknowns: c.Unknowns, Catalog: offer, Faults: s.rules, Async: s.async,
		Delays:        world.Delays{Principal: c.Subscription.PrincipalDelay, Assignment: c.Subscription.AssignmentDelay},
		NotRegistered: c.Subscription.NotRegistered,
	})
	if err != nil {
		return err
	}
	if !c.Subscription.Empty {
		s.world.AddGroup(c.ResourceGroup, c.Location)
	}
	return s.world.SetStock(c.Stock...)
}

// async runs work in the background without the lock, and then with it.
func (s setup) async(work, then func()) {
	s.lifecycle.background(func() {
		work()
		s.mu.Lock()
		defer s.mu.Unlock()
		then()
	})
}

func (s setup) openDir() error {
	if s.config.StateDir != "" {
		return os.MkdirAll(s.config.StateDir, 0o700)
	}
	dir, err := os.MkdirTemp("", "armsim-")
	if err != nil {
		return err
	}
	s.config.StateDir = dir
	s.lifecycle.removeDir = func() { _ = os.RemoveAll(dir) }
	return nil
}

func (s setup) hostMachines() error {
	if err := machine.CheckEnv(s.config.MachineEnv); err != nil {
		return err
	}
	if s.config.NoMachines {
		return nil
	}
	if err := machine.Supported(); err != nil {
		return err
	}
	dir := filepath.Join(s.config.StateDir, "machines")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	port, release, err := s.world.HostMachines(dir, s.config.SSHPort, s.config.MachineEnv)
	if err != nil {
		return err
	}
	s.SSHPort = port
	s.lifecycle.onClose(release)
	return nil
}

func (s setup) makeIssuer() (err error) {
	s.issuer, err = entra.NewIssuer(s.config.TenantID, s.config.Principals, s.config.Identities, s.config.TokenLifetime, s.clock)
	return err
}

func (s setup) listen() error {
	ca, cert, err := entra.Certificates()
	if err != nil {
		return err
	}
	s.CAPEM, s.CAFile = ca, filepath.Join(s.config.StateDir, "ca.pem")
	if err := os.WriteFile(s.CAFile, ca, 0o600); err != nil {
		return err
	}
	azure, err := s.listener()
	if err != nil {
		return err
	}
	control, err := s.listener()
	if err != nil {
		return err
	}
	s.ControlEndpoint = "http://" + control.Addr().String()
	s.makeFronts("https://" + azure.Addr().String())
	s.lifecycle.onClose(s.destroyMachines)
	s.serve(control, controlServer{s.Server})
	s.serve(tls.NewListener(azure, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}), s.Server)
	return nil
}

// listener takes a free loopback port, which ends with the simulator.
func (s setup) listener() (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		s.lifecycle.onClose(func() { _ = l.Close() }) // closed already, where it was served
	}
	return l, err
}

// listenMetadata opens the instance metadata service, if there is any.
func (s setup) listenMetadata() error {
	if len(s.config.Identities) == 0 && !s.config.MetadataService {
		return nil
	}
	l, err := s.listener()
	if err != nil {
		return err
	}
	s.MetadataEndpoint = "http://" + l.Addr().String()
	s.serve(l, metadataServer{s.Server})
	return nil
}

// inProcessEndpoint is a name that never resolves (RFC 2606).
const inProcessEndpoint = "https://armsim.invalid"

func (s setup) openInProcess() error {
	s.makeFronts(inProcessEndpoint)
	return nil
}

func (s setup) makeFronts(endpoint string) {
	c := s.config
	if c.ResourceGraph {
		s.world.RememberPast(c.GraphLag)
	}
	s.Endpoint, s.Audience = endpoint, endpoint+"/"
	gate := azhttp.Gate{Clock: s.clock, Closing: s.lifecycle.closing}
	s.entra = &entra.Server{
		Endpoint: s.Endpoint, Audience: s.Audience, Issuer: s.issuer,
		Identities: c.Identities, Metadata: c.MetadataService, Lock: &s.mu, Rules: s.rules, Journal: s.journal, Gate: gate,
	}
	s.front = arm.New(arm.Config{
		SubscriptionID: c.SubscriptionID, TenantID: c.TenantID, Location: c.Location,
		PageSize: c.PageSize, Polite: c.Polite, Throttle: c.Throttle, ResourceGraph: c.ResourceGraph, NewestAPIVersion: c.NewestAPIVersion,
		CheckReferences: c.Subscription.CheckReferences, World: s.world, Rules: s.rules, Issuer: s.issuer, Journal: s.journal, Gate: gate, Lock: &s.mu,
	})
}

func (s setup) serve(l net.Listener, h http.Handler) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(io.Discard, "", 0)}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	s.lifecycle.background(func() { _ = server.Serve(l) }) // ends with ErrServerClosed
	s.lifecycle.onClose(func() { _ = server.Close() })
}

// addConfigured puts the rules and events of Config into force.
func (s setup) addConfigured() error {
	if err := s.AddFaults(s.config.Faults...); err != nil {
		return err
	}
	return s.AddEvents(s.config.Events...)
}

func (s setup) startTime() error {
	ctx, cancel := context.WithCancel(context.Background())
	s.lifecycle.onClose(cancel)
	if !s.config.Virtual {
		s.lifecycle.background(func() { s.clock.Run(ctx, &s.mu) })
	}
	return nil
}
