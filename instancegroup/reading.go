package instancegroup

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// reading is one reading of the group, from the list to a complete view. It goes on
// while nobody waits for it: the limits may make a list last minutes.
type reading struct {
	*Group
	at     time.Time
	number uint64
	room   vmss.ListRoom // at the beginning
	pages  []int         // to read again; nil: the whole list is read
	graph  bool          // it is read through Azure Resource Graph
	listed []indexedPage // of the whole list, as far as it was read
	etag   string        // of the scale set before a long list

	stalled chan struct{} // closed when a page has to wait for Azure's limits
	stall   sync.Once
	resumes time.Time     // when that wait ends; guarded by the group's lock
	done    chan struct{} // closed at the end, after which err is set
	err     error
}

// beginReadingLocked begins a reading, of which the room and what to read are set.
func (g *Group) beginReadingLocked(ctx context.Context, r *reading) *reading {
	r.Group, r.at, r.number = g, g.now(), g.inventory.beginReading()
	r.stalled, r.done = make(chan struct{}), make(chan struct{})
	if r.pages == nil {
		g.pace.begin(r.room, r.at)
	} else {
		g.pace.spend(len(r.pages), r.at)
	}
	*r.slot() = r
	go r.finish(context.WithoutCancel(ctx)) // of the caller that happened to be first, only its values
	return r
}

// slot is where the group keeps the reading while it is under way.
func (r *reading) slot() **reading {
	if r.graph {
		return &r.Group.graph.current
	}
	return &r.current
}

func (r *reading) finish(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	if r.err = r.run(ctx); len(r.pages) > 0 && r.err == nil {
		r.log.Debug("pages were read again", "operation", "update", "count", len(r.pages))
	}
	r.mu.Lock()
	if slot := r.slot(); *slot == r {
		*slot = nil
	}
	if r.pages == nil {
		if r.failed = r.err; armerr.Is(r.err, armerr.Throttled) {
			r.failed = nil // the last view serves
		}
	}
	r.mu.Unlock()
	close(r.done)
}

// run reads pages again, or reads and stores a view.
func (r *reading) run(ctx context.Context) error {
	switch {
	case r.graph:
		return graphReading{r}.run(ctx)
	case r.pages != nil:
		return r.glance(ctx)
	}
	r.findAddressesEarly(ctx)
	r.readETag(ctx)
	o := vmss.ListOptions{VMID: r.knownVMID(), Page: r.takePage, Wait: r.noteWait}
	if r.last().reading == 0 {
		// Nobody waits for longer. A plugin that was started again does not know what
		// its predecessor has used up, and would use up what the next attempt needs.
		o.Within, o.Expected = firstPatience, int(r.ScaleSet().Capacity)
	}
	instances, err := r.reach().List(ctx, o)
	if err != nil {
		return err
	}
	for {
		base, set := r.last(), r.ScaleSet()
		found, err := r.confirm(ctx, base, instances)
		if err != nil {
			return err
		}
		l := listing{at: r.at, number: r.number, seen: r.at, base: base, instances: instances, confirmed: found, spot: set.IsSpot(), uniform: set.Mode == vmss.Uniform}
		if err := r.findAddresses(ctx, l.all()); err != nil {
			return err
		}
		if r.store(l) {
			return nil
		}
	}
}

// knownVMID returns the known vmId for a resource ID, or an empty string.
func (r *reading) knownVMID() func(resourceID string) string {
	known := r.last().vmIDs()
	return func(id string) string { return known[strings.ToLower(id)] }
}

// readETag reads what tells later whether the scale set was written since the list.
func (r *reading) readETag(ctx context.Context) {
	if isShort(r.room) || r.ScaleSet().Mode == vmss.Flexible || r.client.Remaining(vmss.ReadScaleSet) < 6 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readBackTimeout)
	defer cancel()
	if set, err := r.readScaleSet(ctx); err == nil {
		r.etag = set.ETag
	}
}

// noteWait lets those go on who wait for the reading.
func (r *reading) noteWait(wait time.Duration) {
	r.mu.Lock()
	r.resumes = r.now().Add(wait)
	r.mu.Unlock()
	r.stall.Do(func() { close(r.stalled) })
}

// takePage takes over what a page shows at once: an instance that runs need not wait
// for the rest of the list. Only the whole list tells what is gone.
func (r *reading) takePage(p vmss.Page) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.index.note(p)
	if r.pages == nil {
		r.listed = append(r.listed, indexed(p, r.now()))
	}
	base := r.inventory.last()
	if base.reading == 0 || base.reading > r.number {
		return
	}
	r.inventory.addressUnlisted(p.Instances)
	l := listing{at: r.at, number: r.number, seen: r.now(), base: base, instances: p.Instances, spot: r.admission.set.IsSpot()}
	r.concludeLocked(l, r.inventory.patch(l, r.deletions.has, r.now()))
}

// store makes a view of a listing. It is false if missing members are to be confirmed
// anew.
func (r *reading) store(l listing) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reviveLocked(l)
	c, ok := r.inventory.apply(l, r.deletions.has, r.now())
	if ok {
		r.watch.viewed(r.at, r.now())
		r.index.pages, r.index.listed, r.index.etag = r.listed, r.at, r.etag
	}
	r.concludeLocked(l, c)
	return ok
}

// reviveLocked takes members back into account that are not gone after all.
func (r *reading) reviveLocked(l listing) {
	if alive := r.deletions.contradicted(l); len(alive) > 0 {
		r.inventory.revive(alive)
		r.log.Warn("instances are listed although their deletion has ended; sending it again", "operation", "decrease", "count", len(alive))
	}
}

// concludeLocked draws the conclusions from what a view changes.
func (r *reading) concludeLocked(l listing, c changes) {
	r.watch.changed(l, c, &r.deletions, r.now())
	r.shortage.recordEvictions(r.now(), c.evicted)
	r.suspensions.settle(r.inventory.last(), r.now())
	r.forgetLocked(l.base, c.gone)
	r.ledger.departed(c.departed)
	for _, took := range c.boots {
		r.pace.boots.add(took)
	}
	if c.failed > 0 || c.served > 0 {
		r.recordStartsLocked(c.served, c.failed, "did not come up", errors.New(c.reason))
	}
}

// forgetLocked drops what is kept of members of a view that are gone.
func (g *Group) forgetLocked(base *View, gone []string) {
	g.deletions.believe(gone, g.now())
	g.pool.part(base, gone, g.now())
	g.suspensions.forget(gone)
}
