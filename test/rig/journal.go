package rig

import (
	"bytes"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/faults"
)

// Mark is a point in the simulator's journal.
func (r *Rig) Mark() int {
	all := r.Sim.Journal()
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].Seq
}

// RequestsSince are the requests of an operation after a mark; "*" stands for any
// part of the operation's name.
func (r *Rig) RequestsSince(mark int, operation string) []armsim.Entry {
	return slices.DeleteFunc(r.Sim.Journal(), func(e armsim.Entry) bool {
		ok, _ := path.Match(operation, e.Operation)
		return e.Seq <= mark || !ok
	})
}

// WritesSince are the changes of scale sets after a mark, except for the owner's
// tag.
func (r *Rig) WritesSince(mark int) []armsim.Entry {
	return slices.DeleteFunc(r.RequestsSince(mark, "*"), func(e armsim.Entry) bool {
		body, _ := e.Body.(map[string]any)
		return e.Method == http.MethodGet || body["tags"] != nil
	})
}

// CapacityWritesSince are the capacity writes after a mark.
func (r *Rig) CapacityWritesSince(mark int) []armsim.Entry {
	return slices.DeleteFunc(r.RequestsSince(mark, faults.UpdateScaleSet), func(e armsim.Entry) bool { return CapacityOf(e.Body) < 0 })
}

// TargetsSince are the capacities that Azure has accepted after a mark.
func (r *Rig) TargetsSince(mark int) []int {
	var all []int
	for _, e := range r.CapacityWritesSince(mark) {
		if e.Status == http.StatusOK {
			all = append(all, CapacityOf(e.Body))
		}
	}
	return all
}

// Log collects what is logged. It may be used from any goroutine.
type Log struct {
	mu  sync.Mutex
	all strings.Builder
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("[DEBUG] running ")) {
		return len(p), nil // every two seconds
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

// Count is how many lines hold all of the texts.
func (l *Log) Count(texts ...string) int {
	n := 0
	for line := range strings.Lines(l.String()) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			n++
		}
	}
	return n
}

func (l *Log) tail(n int) string {
	text := l.String()
	return text[max(0, len(text)-n):]
}
