package armsim

import (
	"maps"
	"slices"
	"time"
)

// Entry is one request that the ARM endpoint answered.
type Entry struct {
	Seq        int       `json:"seq"`
	Time       time.Time `json:"time"` // simulated
	Operation  string    `json:"operation"`
	Method     string    `json:"method"`
	Path       string    `json:"path"`
	APIVersion string    `json:"apiVersion,omitempty"`
	IfMatch    string    `json:"ifMatch,omitempty"`
	Body       any       `json:"body,omitempty"` // never of a token request
	Status     int       `json:"status"`
	Code       string    `json:"code,omitempty"`
	RequestID  string    `json:"requestId"`
	ClientID   string    `json:"clientId,omitempty"`
	Fault      string    `json:"fault,omitempty"` // the name of the rule that applied
	Cut        string    `json:"cut,omitempty"`   // "before" or "after": the connection was cut, the status is 0
}

// journalLimit bounds the memory of a simulator that runs for days; older
// entries go, the counts stay.
const journalLimit = 50_000

type journal struct {
	seq     int
	entries []Entry
	counts  map[string]int
}

func (j *journal) add(e Entry) {
	j.seq++
	e.Seq = j.seq
	if len(j.entries) >= journalLimit {
		j.entries = slices.Delete(j.entries, 0, journalLimit/2)
	}
	j.entries = append(j.entries, e)
	j.counts[e.Operation]++
}

// Journal returns the requests answered so far, oldest first. It may be called
// at any time from any goroutine.
func (s *Server) Journal() []Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.journal.entries)
}

// Stats are counts since the start.
type Stats struct {
	Seed            uint64         `json:"seed"`
	Requests        map[string]int `json:"requests"`        // by operation
	Instances       int            `json:"instances"`       // that exist now, in any state
	Running         int            `json:"running"`         // of them
	Capacity        int            `json:"capacity"`        // sum of all scale sets
	Created         int            `json:"created"`         // instances ever
	Evicted         int            `json:"evicted"`         // Spot instances ever
	InstanceSeconds float64        `json:"instanceSeconds"` // simulated, from acceptance to removal
	Machines        int            `json:"machines"`        // that are switched on
	Addresses       int            `json:"addresses"`       // in use
	NotSimulated    []string       `json:"notSimulated"`    // requests answered with 501
}

// Stats counts what exists and what was asked. It may be called at any time
// from any goroutine.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{
		Seed:            s.config.Seed,
		Requests:        maps.Clone(s.journal.counts),
		Created:         s.created,
		Evicted:         s.evicted,
		InstanceSeconds: s.lived.Seconds(),
		Addresses:       s.privatePool.InUse() + s.publicPool.InUse(),
		NotSimulated:    slices.Clone(s.notSimulated),
	}
	for set := range s.scaleSets() {
		st.Capacity += set.capacity
		for _, i := range set.instances {
			st.count(i, s.time.now())
		}
	}
	return st
}

func (st *Stats) count(i *instance, now time.Time) {
	st.Instances++
	st.InstanceSeconds += now.Sub(i.created).Seconds()
	if i.power == powerRunning {
		st.Running++
	}
	if i.machine != nil && i.machine.Running() {
		st.Machines++
	}
}
