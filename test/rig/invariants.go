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

// Invariants checks every request of a plugin, and every result that fleeting gets,
// and collects what breaks a guarantee of docs/reference/guarantees.md. It may be
// used from any goroutine.
type Invariants struct {
	bubble *Bubble

	mu                sync.Mutex
	violations        []error
	expected          map[string]bool // IDs that the runner wants deleted
	ran               map[string]bool // IDs that were reported running, ever
	unhealthy         map[string]bool // names of instances that something happened to
	throttlingAllowed bool            // a 429 is somebody else's doing
	neverCreated      int             // instances that were told to be accepted and never created

	suspends map[string]bool // IDs that the runner wants suspended, and has not wanted back since
	asleep   map[string]bool // those of them of which Azure has accepted it
	known    map[string]bool // IDs that a runner was told of, ever
}

func newInvariants(b *Bubble) *Invariants {
	return &Invariants{bubble: b, expected: map[string]bool{}, ran: map[string]bool{}, unhealthy: map[string]bool{}, suspends: map[string]bool{}, asleep: map[string]bool{}, known: map[string]bool{}}
}

func (v *Invariants) violate(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.violations = append(v.violations, fmt.Errorf(format, args...))
}

// Err returns what was broken so far.
func (v *Invariants) Err() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return errors.Join(v.violations...)
}

// ExpectDeletion tells that the runner wants an instance deleted.
func (v *Invariants) ExpectDeletion(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.expected[id] = true
}

// MarkUnhealthy tells that something happens to an instance, by its name, which
// makes it unfit for jobs.
func (v *Invariants) MarkUnhealthy(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.unhealthy[strings.ToLower(name)] = true
}

// ForgetUnhealthy is for a scale set that was made again, with the old names.
func (v *Invariants) ForgetUnhealthy() {
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.unhealthy)
}

// AllowThrottling is for when another client of the subscription uses the
// request limits up.
func (v *Invariants) AllowThrottling() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.throttlingAllowed = true
}

// InstanceID is the plugin's ID of an instance.
func InstanceID(i armsim.InstanceInfo) string { return strings.ToLower(i.Name) + "-" + i.VMID[:8] }

// healthyLocked reports whether a job may run on an instance, or may once it is resumed.
func (v *Invariants) healthyLocked(i armsim.InstanceInfo) bool {
	sleeps := v.asleep[InstanceID(i)] && strings.HasPrefix(i.PowerState, "dealloc")
	return (i.PowerState == "running" || sleeps) && (i.ProvisioningState == "Succeeded" || i.ProvisioningState == "Updating") && !v.unhealthy[strings.ToLower(i.Name)]
}

// request checks a request before it goes out, and returns the check of its
// effect.
func (v *Invariants) request(r *http.Request) func(*http.Response) {
	body := bodyOf(r)
	switch {
	case isMark(r):
		v.mark(body)
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/deallocate"), r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/start"):
		v.power(r, body)
	case r.Method == http.MethodPatch:
		return v.patch(r, body)
	case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/delete"):
		ids, _ := body["instanceIds"].([]any)
		for _, id := range ids {
			v.deletion(setOf(r), fmt.Sprint(id))
		}
	case r.Method == http.MethodDelete:
		v.deletion(setOf(r), r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:])
	case r.Method != http.MethodGet:
		v.violate("unexpected %s %s", r.Method, r.URL.Path)
	}
	return v.throttled(r)
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

// patch is guarantee 1: a write of the capacity never lowers it, is conditional,
// and writes nothing else.
func (v *Invariants) patch(r *http.Request, body map[string]any) func(*http.Response) {
	if r.Header.Get("If-Match") == "" {
		v.violate("a write without a condition: %v", body)
	}
	if _, tags := body["tags"]; len(body) != 1 || body["sku"] == nil && !tags && !v.bubble.writesKeys(body) {
		v.violate("a write of more than it needs: %v", body)
	}
	before := v.bubble.Sim.Stats().Capacities[setOf(r)] // the effect comes at once, only responses are late
	target := CapacityOf(body)
	throttled, existed := v.throttled(r), v.bubble.InstancesOf(setOf(r))
	return func(response *http.Response) {
		if target >= 0 {
			v.keyless(setOf(r), existed)
		}
		if target >= 0 && target < before && (response == nil || response.StatusCode < 300) {
			v.violate("a write took the capacity from %d to %d", before, target)
		}
		throttled(response)
	}
}

// CapacityOf is the capacity that a request's body writes; -1: none.
func CapacityOf(body any) int {
	object, _ := body.(map[string]any)
	sku, _ := object["sku"].(map[string]any)
	if n, ok := sku["capacity"].(float64); ok {
		return int(n)
	}
	return -1
}

// deletion is guarantees 4 and 6: nothing is deleted that the runner did not ask
// for, or that is still good for a job.
func (v *Invariants) deletion(set, instanceID string) {
	for _, i := range v.bubble.Sim.Instances() {
		if !strings.EqualFold(i.InstanceID, instanceID) || set != "" && !strings.EqualFold(i.ScaleSet, set) {
			continue
		}
		v.mu.Lock()
		id := InstanceID(i)
		bad := !v.expected[id] && v.ran[id] && v.healthyLocked(i)
		v.mu.Unlock()
		if bad {
			v.violate("%s is deleted, which is healthy and which nobody asked to delete", id)
		}
	}
}

// throttled is guarantee 8: the plugin by itself stays within Azure's limits.
func (v *Invariants) throttled(r *http.Request) func(*http.Response) {
	method, path := r.Method, r.URL.Path
	return func(response *http.Response) {
		if response == nil || response.StatusCode != http.StatusTooManyRequests || v.throttlingAllowed {
			return
		}
		entries := v.bubble.Sim.Journal()
		if last := entries[len(entries)-1]; last.Status == http.StatusTooManyRequests && last.Fault == "" {
			v.violate("%s %s was throttled", method, path)
		}
	}
}

// Wrap checks what a plugin, a new process, tells fleeting.
func (v *Invariants) Wrap(group provider.InstanceGroup) provider.InstanceGroup {
	return &checkedGroup{InstanceGroup: group, invariants: v, conn: v.bubble.Conn, listed: map[string]bool{}}
}

type checkedGroup struct {
	provider.InstanceGroup
	invariants *Invariants
	conn       *Connection
	listed     map[string]bool // IDs that fleeting knows alive; guarded by the lock of invariants
}

// Increase is guarantee 2: an error never comes with a success.
func (g *checkedGroup) Increase(ctx context.Context, n int) (int, error) {
	accepted, err := g.InstanceGroup.Increase(ctx, n)
	if accepted < 0 || accepted > n || accepted > 0 && err != nil {
		g.invariants.violate("Increase(%d) is %d, %v", n, accepted, err)
	}
	checkError(g.invariants, err)
	return accepted, err
}

// Decrease is guarantee 4: done is what was asked for.
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

func checkError(v *Invariants, err error) {
	if err != nil && strings.Contains(err.Error(), "\n") {
		v.violate("an error of several lines: %v", err)
	}
}

// Update is guarantee 3: complete or an error.
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
		g.updated(told)
	}
	return err
}
