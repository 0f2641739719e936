package armsim

import (
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

type (
	// Entry is one request to which the ARM endpoint responded.
	Entry = azhttp.Entry

	// InstanceInfo is what the simulator knows of an instance, whatever
	// Azure's API would report of it now.
	InstanceInfo = world.InstanceInfo

	// Throttling counts responses of status 429 by operation.
	Throttling = azhttp.Throttling
)

// Journal returns the requests so far, oldest first. It may be called at any
// time from any goroutine.
func (s *Server) Journal() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.After(0)
}

// Instances describes every instance there is, in no order.
func (s *Server) Instances() []InstanceInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.Instances()
}

// Stats are counts since the start.
type Stats struct {
	Seed             uint64         `json:"seed"`
	Requests         map[string]int `json:"requests"`         // by operation; those that were throttled, too
	Throttled        Throttling     `json:"throttled"`        // of them
	Instances        int            `json:"instances"`        // that exist now, in any state
	Running          int            `json:"running"`          // of them
	Capacity         int            `json:"capacity"`         // sum of all scale sets
	Capacities       map[string]int `json:"capacities"`       // of each, by its name
	Created          int            `json:"created"`          // instances ever
	Absent           int            `json:"absent"`           // instances that were asked for and never made
	Evicted          int            `json:"evicted"`          // Spot instances ever
	InstanceSeconds  float64        `json:"instanceSeconds"`  // simulated, from acceptance to removal, as their disks cost
	AllocatedSeconds float64        `json:"allocatedSeconds"` // of them not deallocated, as their virtual machines cost
	Machines         int            `json:"machines"`         // that are switched on
	Addresses        int            `json:"addresses"`        // in use
	NotSimulated     []string       `json:"notSimulated"`     // requests that got a 501, the last 1000 at most
}

// Stats counts what exists and what was asked for. It may be called at any time
// from any goroutine.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.world.Counts()
	st := Stats{
		Seed: s.config.Seed, Instances: c.Instances, Running: c.Running, Capacity: c.Capacity, Capacities: c.Capacities, Created: c.Created, Absent: c.Absent,
		Evicted: c.Evicted, InstanceSeconds: c.InstanceSeconds, AllocatedSeconds: c.AllocatedSeconds, Machines: c.Machines, Addresses: c.Addresses,
	}
	st.Requests, st.NotSimulated = s.journal.Counts()
	st.Throttled = s.journal.Throttled()
	return st
}
