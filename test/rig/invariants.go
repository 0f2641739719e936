package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// watch looks at every request and at every answer to fleeting, and collects
// what breaks a promise of docs/reference/guarantees.md.
type Invariants struct {
	bubble *Bubble

	mu                sync.Mutex
	violations        []error
	expected          map[string]bool // IDs that the runner wants deleted
	ran               map[string]bool // IDs that were reported running, ever
	listed            map[string]bool // IDs that fleeting knows alive, of this process
	unhealthy         map[string]bool // names of instances that something happened to
	throttlingAllowed bool            // a 429 is somebody else's doing
}

func newInvariants(b *Bubble) *Invariants {
	return &Invariants{bubble: b, expected: map[string]bool{}, ran: map[string]bool{}, listed: map[string]bool{}, unhealthy: map[string]bool{}}
}

func (w *Invariants) violate(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, fmt.Errorf(format, args...))
}

// err is what was broken so far.
func (w *Invariants) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.violations...)
}

// forget is for a crash: fleeting begins anew, and so does the plugin's count of
// its calls, but not Azure's.
func (w *Invariants) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.listed, w.throttlingAllowed = map[string]bool{}, true
}

// delete is the runner's wish.
func (w *Invariants) ExpectDeletion(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected[id] = true
}

// hurt notes that something happens to an instance which makes it unfit.
func (w *Invariants) MarkUnhealthy(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unhealthy[strings.ToLower(name)] = true
}

// forgetUnhealthy is for a scale set that was made again, with the old names.
func (w *Invariants) ForgetUnhealthy() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.unhealthy)
}

// allowThrottling is for when another client of the subscription uses the
// request limits up.
func (w *Invariants) AllowThrottling() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.throttlingAllowed = true
}

// idOf is the plugin's ID of an instance.
func InstanceID(i armsim.InstanceInfo) string { return strings.ToLower(i.Name) + "-" + i.VMID[:8] }

// healthy says whether a job may run on an instance; the lock must be held.
func (w *Invariants) healthyLocked(i armsim.InstanceInfo) bool {
	return i.PowerState == "running" && (i.ProvisioningState == "Succeeded" || i.ProvisioningState == "Updating") && !w.unhealthy[strings.ToLower(i.Name)]
}

// request checks a request before it goes out, and returns the check of its
// effect.
func (w *Invariants) request(r *http.Request) func(*http.Response) {
	body := bodyOf(r)
	switch {
	case r.Method == http.MethodPatch:
		return w.patch(r, body)
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/delete"):
		ids, _ := body["instanceIds"].([]any)
		for _, id := range ids {
			w.deletion(fmt.Sprint(id))
		}
	case r.Method == http.MethodDelete:
		w.deletion(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
	case r.Method != http.MethodGet:
		w.violate("unexpected %s %s", r.Method, r.URL.Path)
	}
	return w.throttled(r)
}

func bodyOf(r *http.Request) map[string]any {
	body := map[string]any{}
	if r.Body != nil {
		raw, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(raw))
		_ = json.Unmarshal(raw, &body)
	}
	return body
}

// patch is promise 1: a write of the capacity never lowers it, is conditional,
// and writes nothing else.
func (w *Invariants) patch(r *http.Request, body map[string]any) func(*http.Response) {
	if r.Header.Get("If-Match") == "" {
		w.violate("a write without a condition: %v", body)
	}
	if _, tags := body["tags"]; len(body) != 1 || body["sku"] == nil && !tags {
		w.violate("a write of more than it needs: %v", body)
	}
	before := w.bubble.Sim.Stats().Capacity // the effect comes at once, only answers are late
	target := CapacityOf(body)
	throttled := w.throttled(r)
	return func(response *http.Response) {
		if target >= 0 && target < before && (response == nil || response.StatusCode < 300) {
			w.violate("a write took the capacity from %d to %d", before, target)
		}
		throttled(response)
	}
}

// capacityOf is the capacity that a request's body writes; -1: none.
func CapacityOf(body any) int {
	object, _ := body.(map[string]any)
	sku, _ := object["sku"].(map[string]any)
	if n, ok := sku["capacity"].(float64); ok {
		return int(n)
	}
	return -1
}

// deletion is promise 4 and 6: nothing is deleted that the runner did not ask
// for, or that is still good for a job.
func (w *Invariants) deletion(instanceID string) {
	for _, i := range w.bubble.Sim.Instances() {
		if !strings.EqualFold(i.InstanceID, instanceID) {
			continue
		}
		w.mu.Lock()
		id := InstanceID(i)
		bad := !w.expected[id] && w.ran[id] && w.healthyLocked(i)
		w.mu.Unlock()
		if bad {
			w.violate("%s is deleted, which is healthy and which nobody asked to delete", id)
		}
	}
}

// throttled is promise 8: the plugin by itself stays within Azure's limits.
func (w *Invariants) throttled(r *http.Request) func(*http.Response) {
	method, path := r.Method, r.URL.Path
	return func(response *http.Response) {
		if response == nil || response.StatusCode != http.StatusTooManyRequests || w.throttlingAllowed {
			return
		}
		entries := w.bubble.Sim.Journal()
		if last := entries[len(entries)-1]; last.Status == http.StatusTooManyRequests && last.Fault == "" {
			w.violate("%s %s was throttled", method, path)
		}
	}
}

// over watches what the plugin tells fleeting.
func (w *Invariants) Wrap(group provider.InstanceGroup) provider.InstanceGroup {
	return &checkedGroup{InstanceGroup: group, invariants: w, conn: w.bubble.Conn}
}

type checkedGroup struct {
	provider.InstanceGroup
	invariants *Invariants
	conn       *Connection
}

// Increase is promise 2: an error is never beside a success.
func (g *checkedGroup) Increase(ctx context.Context, n int) (int, error) {
	accepted, err := g.InstanceGroup.Increase(ctx, n)
	if accepted < 0 || accepted > n || accepted > 0 && err != nil {
		g.invariants.violate("Increase(%d) is %d, %v", n, accepted, err)
	}
	checkError(g.invariants, err)
	return accepted, err
}

// Decrease is promise 4: done is what was asked for.
func (g *checkedGroup) Decrease(ctx context.Context, ids []string) ([]string, error) {
	for _, id := range ids {
		g.invariants.ExpectDeletion(id)
	}
	done, err := g.InstanceGroup.Decrease(ctx, ids)
	if len(done) > 0 && err != nil {
		g.invariants.violate("Decrease(%v) is %v, %v", ids, done, err)
	}
	for _, id := range done {
		if !slices.Contains(ids, id) {
			g.invariants.violate("Decrease(%v) names %s", ids, id)
		}
	}
	checkError(g.invariants, err)
	return done, err
}

func checkError(w *Invariants, err error) {
	if err != nil && strings.Contains(err.Error(), "\n") {
		w.violate("an error of several lines: %v", err)
	}
}

// Update is promise 3: complete or an error.
func (g *checkedGroup) Update(ctx context.Context, fn func(string, provider.State)) error {
	told := map[string]provider.State{}
	err := g.InstanceGroup.Update(ctx, func(id string, state provider.State) {
		told[id] = state
		fn(id, state)
	})
	checkError(g.invariants, err)
	if err != nil && len(told) > 0 {
		g.invariants.violate("Update told of %d instances and failed: %v", len(told), err)
	}
	if err == nil && !g.conn.IsCut() { // the dead tell nobody
		g.invariants.updated(told)
	}
	return err
}

func (w *Invariants) updated(told map[string]provider.State) {
	exists := map[string]bool{}
	all := w.bubble.Sim.Instances()
	w.mu.Lock()
	for _, i := range all {
		exists[InstanceID(i)] = w.healthyLocked(i)
	}
	var missing []string
	for id := range w.listed {
		if told[id] == "" {
			missing = append(missing, id)
		}
	}
	for id, state := range told {
		if state == provider.StateDeleted && w.ran[id] && exists[id] && !w.expected[id] {
			missing = append(missing, id+", which is healthy")
		}
		if state == provider.StateRunning {
			w.ran[id] = true
		}
		w.listed[id] = true
		if state == provider.StateDeleted {
			delete(w.listed, id)
		}
	}
	w.mu.Unlock()
	if len(missing) > 0 {
		w.violate("Update dropped %v", missing)
	}
}
