package rig

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// isMark reports whether a request writes to a single instance.
func isMark(r *http.Request) bool {
	return (r.Method == http.MethodPatch || r.Method == http.MethodPut) && strings.Contains(strings.ToLower(r.URL.Path), "/virtualmachines/")
}

// mark is guarantee 10: of an instance nothing is written but its mark.
func (v *Invariants) mark(body map[string]any) {
	properties, _ := body["properties"].(map[string]any)
	if _, tags := body["tags"]; len(body) != 1 || !tags && (len(properties) != 1 || properties["protectionPolicy"] == nil) {
		v.violate("a write to an instance of more than its mark: %v", body)
	}
}

// power is guarantee 10: no instance is stopped that the runner does not want suspended,
// nor ever all of them.
func (v *Invariants) power(r *http.Request, body map[string]any) {
	named, _ := body["instanceIds"].([]any)
	if !strings.Contains(strings.ToLower(r.URL.Path), "/virtualmachinescalesets/") {
		named = []any{path.Base(path.Dir(r.URL.Path))}
	}
	if len(named) == 0 || slices.Contains(named, any("*")) {
		v.violate("%s of all instances", r.URL.Path)
	}
	for _, i := range v.bubble.Sim.Instances() {
		isNamed := slices.ContainsFunc(named, func(id any) bool { return strings.EqualFold(fmt.Sprint(id), i.InstanceID) })
		v.mu.Lock()
		wanted := v.suspends[InstanceID(i)] || v.bubble.Warm > 0 && !v.known[InstanceID(i)]
		v.mu.Unlock()
		if isNamed && !wanted && strings.HasSuffix(r.URL.Path, "/deallocate") {
			v.violate("%s is deallocated, and nobody asked for it", InstanceID(i))
		}
	}
}

// Suspend is guarantee 10: done is what was asked for, and stays until it is wanted back.
func (g *checkedGroup) Suspend(ctx context.Context, ids []string) ([]string, error) {
	g.invariants.want(ids, true)
	done, err := g.InstanceGroup.Suspend(ctx, ids)
	g.changed("Suspend", ids, done, err)
	return done, err
}

// Resume is the same; what cannot be resumed may be deleted.
func (g *checkedGroup) Resume(ctx context.Context, ids []string) ([]string, error) {
	g.invariants.want(ids, false)
	done, err := g.InstanceGroup.Resume(ctx, ids)
	g.changed("Resume", ids, done, err)
	return done, err
}

func (v *Invariants) want(ids []string, asleep bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, id := range ids {
		v.suspends[id] = asleep || v.suspends[id] // a deallocation that failed may be sent again
		if !asleep {
			delete(v.asleep, id)
		}
	}
}

func (g *checkedGroup) changed(what string, ids, done []string, err error) {
	v := g.invariants
	for _, id := range done {
		if !slices.Contains(ids, id) {
			v.violate("%s(%v) names %s", what, ids, id)
		}
	}
	checkError(v, err)
	if what != "Suspend" || g.conn.IsCut() {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, id := range done {
		v.asleep[id] = true
	}
}

// InState are the instances that fleeting knows in a state, in the order of their IDs.
func (b *Bubble) InState(state provider.State) []fleeting.Instance {
	all := b.Provisioner.Instances()
	slices.SortFunc(all, func(i, j fleeting.Instance) int { return strings.Compare(i.ID(), j.ID()) })
	return slices.DeleteFunc(all, func(i fleeting.Instance) bool { return i.State() != state })
}

// IDs are those of instances.
func IDs(all []fleeting.Instance) (ids []string) {
	for _, i := range all {
		ids = append(ids, i.ID())
	}
	return ids
}

// Suspend has the runner suspend the first n instances that run.
func (b *Bubble) Suspend(n int) {
	all := b.Running()
	for _, i := range all[:min(n, len(all))] {
		i.Suspend()
	}
}

// Resume has the runner resume the first n that are suspended.
func (b *Bubble) Resume(n int) {
	all := b.InState(provider.StateSuspended)
	_, _ = b.Provisioner.Resume(context.Background(), IDs(all[:min(n, len(all))]))
}

// isAsExpected reports whether an instance is in Azure as fleeting knows it.
func isAsExpected(i armsim.InstanceInfo, state provider.State) bool {
	if state == provider.StateSuspended {
		return i.PowerState == "deallocated"
	}
	return state != "" && i.PowerState == "running"
}

// IsWarm reports whether an instance is the warm pool's: the runner does not know it.
func (b *Bubble) isWarm(i armsim.InstanceInfo, known map[string]provider.State) bool {
	return b.Warm > 0 && known[InstanceID(i)] == "" && i.PowerState == "deallocated" && i.ProvisioningState == "Succeeded"
}

// AwaitWarm waits until the warm pool is full, and n instances run.
func (r *Rig) AwaitWarm(n int) {
	r.Helper()
	r.Await(30*time.Minute, "warm", func() bool {
		return len(r.Running()) == n && len(r.Provisioner.Instances()) == n && len(r.Sim.Instances()) == n+r.Warm && r.Settled() == nil
	})
}

// AwaitSuspended waits until n instances are suspended and m run, and nothing else is.
func (r *Rig) AwaitSuspended(n, m int) {
	r.Helper()
	r.Await(30*time.Minute, "suspended", func() bool {
		return len(r.InState(provider.StateSuspended)) == n && len(r.Running()) == m && r.Settled() == nil
	})
}
