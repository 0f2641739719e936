package azhttp

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// Entry is one request to which the ARM endpoint responded.
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

// Journal remembers requests. The lock of the world's owner guards it.
type Journal struct {
	seq          int
	entries      []Entry
	counts       map[string]int
	throttled    Throttling
	notSimulated []string
}

// Throttling counts responses of status 429 by operation, those of faults
// included.
type Throttling struct {
	ResourceManager map[string]int `json:"resourceManager"` // by Resource Manager's own limits
	Provider        map[string]int `json:"provider"`        // by Compute's, and by the sign-in's where a fault has it so
}

// NewJournal starts an empty journal.
func NewJournal() *Journal {
	return &Journal{counts: map[string]int{}, throttled: Throttling{map[string]int{}, map[string]int{}}}
}

// Add numbers an entry and remembers it.
func (j *Journal) Add(e Entry) {
	j.seq++
	e.Seq = j.seq
	if len(j.entries) >= journalLimit {
		j.entries = slices.Delete(j.entries, 0, journalLimit/2)
	}
	j.entries = append(j.entries, e)
	j.counts[e.Operation]++
	switch {
	case e.Status != http.StatusTooManyRequests:
	case e.Code == CodeThrottledByARM:
		j.throttled.ResourceManager[e.Operation]++
	default:
		j.throttled.Provider[e.Operation]++
	}
}

// notSimulatedLimit bounds what AddNotSimulated remembers, as journalLimit does.
const notSimulatedLimit = 1000

// AddNotSimulated remembers a request that nothing is simulated for; of more than
// notSimulatedLimit the older half goes.
func (j *Journal) AddNotSimulated(request string) {
	if len(j.notSimulated) >= notSimulatedLimit {
		j.notSimulated = slices.Delete(j.notSimulated, 0, notSimulatedLimit/2)
	}
	j.notSimulated = append(j.notSimulated, request)
}

// After are the entries after the numbered one, oldest first; 0: all.
func (j *Journal) After(seq int) []Entry {
	n := min(max(0, j.seq-seq), len(j.entries))
	return slices.Clone(j.entries[len(j.entries)-n:])
}

// Counts are the requests since the start, by operation, and the last of those that
// nothing is simulated for.
func (j *Journal) Counts() (byOperation map[string]int, notSimulated []string) {
	return maps.Clone(j.counts), slices.Clone(j.notSimulated)
}

// Throttled counts the requests that got a 429 since the start.
func (j *Journal) Throttled() Throttling {
	return Throttling{maps.Clone(j.throttled.ResourceManager), maps.Clone(j.throttled.Provider)}
}
