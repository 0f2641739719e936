package armsim

import "gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"

// What others do behind a client's back: somebody in the portal, another
// program, Azure itself. Instances are named by resource name or vmId.

// Event is something that others do to the scale sets, once or again and again.
type Event = world.Event

// AddEvents plans events from now on. The error names the first that is
// impossible; then none is planned.
func (s *Server) AddEvents(events ...Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.External.AddEvents(events...)
}

// Kill cuts an instance's power from outside, as a host failure or somebody in
// the portal does: what runs on it dies, and Azure lists it as stopped. It
// returns when nothing of it runs any longer. The error says that there is no such
// instance, or that it has no virtual machine that runs.
func (s *Server) Kill(name string) error {
	s.mu.Lock()
	m, err := s.world.External.Kill(name)
	s.mu.Unlock()
	if m != nil {
		m.PowerOff()
	}
	return err
}

// Evict takes away the capacity of a Spot instance, as Azure does when it wants
// it back. It returns at acceptance; what runs on the instance dies at once.
func (s *Server) Evict(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.External.Evict(name)
}

// Deallocate stops an instance and gives its capacity back to Azure. It returns
// at acceptance.
func (s *Server) Deallocate(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.External.Deallocate(name)
}

// PowerOn starts an instance. It returns at acceptance.
func (s *Server) PowerOn(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.External.Start(name)
}

// Remove deletes an instance as its scale set's API would; the capacity falls.
// It returns at acceptance.
func (s *Server) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.External.Delete(name)
}

// Raise adds n to a scale set's capacity. It returns at acceptance; the error
// says that there is no such set, or no quota.
func (s *Server) Raise(scaleSet string, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.External.Raise(scaleSet, n)
}

// Tag sets a tag of a scale set. Its ETag moves.
func (s *Server) Tag(scaleSet, key, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.External.Tag(scaleSet, key, value)
}

// AddStandbyVM puts a new virtual machine into the standby pool of a Flexible
// set, which keeps it running or deallocated, and returns its name. It returns
// at acceptance; the error says that there is no such set, that it makes no virtual
// machines or is Uniform, or that there is no quota.
func (s *Server) AddStandbyVM(scaleSet string, running bool) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.External.AddStandby(scaleSet, running)
}

// SetCoreQuota changes the regional limit of vCPUs; 0 ends it. What exists
// stays.
func (s *Server) SetCoreQuota(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.SetCoreQuota(n)
}

// SetStock changes what Azure has room for: a stock replaces the one of the same scale
// set, size and zone, a count of -1 ends it. What exists stays. The error says what is
// impossible; then nothing is changed.
func (s *Server) SetStock(stocks ...Stock) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.SetStock(stocks...)
}

// Stock is what Azure has room for, and what is taken of it.
func (s *Server) Stock() []StockState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.Stock()
}
