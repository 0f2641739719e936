package fallback

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
)

// grace is how much longer than for the others an update waits for a scale set that could
// not be read last. Its reading goes on, and the next update takes the result.
const grace = time.Second

// observation is one reading of a scale set.
type observation struct {
	ctx  context.Context //nolint:containedctx // tells whose end ends the reading
	done chan struct{}   // closed at the end, after which the others are set
	view *instancegroup.View
	err  error
}

// View is what all scale sets hold. Its members go by IDs that are unique among them.
type View struct {
	instancegroup.View
	fresh []part
}

// part is the view of a scale set that was read for a View.
type part struct {
	*set
	view *instancegroup.View
}

// Observe reads all scale sets. Of one that cannot be read the last view serves: an error
// would hide the others' instances, and leaving its own out would have the runner take
// them for gone. It is an error that none can be read.
func (f *Sets) Observe(ctx context.Context) (*View, error) {
	patient := f.allFailed()
	var waited, late []*observation
	for _, s := range f.all {
		switch o, wait := f.begin(ctx, s, patient); {
		case wait:
			waited = append(waited, o)
		case o != nil:
			late = append(late, o)
		}
	}
	for _, o := range waited {
		o.await(ctx)
	}
	if len(late) > 0 {
		short, cancel := context.WithTimeout(ctx, grace)
		defer cancel()
		for _, o := range late {
			o.await(short)
		}
	}
	return f.conclude(ctx)
}

// await waits for the end of a reading, or of ctx.
func (o *observation) await(ctx context.Context) {
	select {
	case <-o.done:
	case <-ctx.Done():
		if o.ctx == ctx {
			<-o.done // which ends it
		}
	}
}

// allFailed reports whether no scale set could be read last.
func (f *Sets) allFailed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !slices.ContainsFunc(f.all, func(s *set) bool { return s.failure == nil })
}

// begin reads a scale set, unless that is under way, and reports whether to wait for it.
// It is nil where it is not time to.
func (f *Sets) begin(ctx context.Context, s *set, patient bool) (o *observation, wait bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	wait = patient || s.failure == nil
	if s.reading != nil {
		return s.reading, wait
	}
	if s.group == nil && (f.closed || f.now().Before(s.retry)) {
		return nil, false
	}
	if !wait {
		ctx = context.WithoutCancel(ctx)
	}
	o = &observation{ctx: ctx, done: make(chan struct{})}
	s.reading = o
	go func() {
		defer close(o.done)
		var group Group
		if group, o.err = f.opened(ctx, s); o.err == nil {
			o.view, o.err = group.Observe(ctx)
		}
	}()
	return o, wait
}

// opened is the scale set's group, which is opened where it could not be read before.
func (f *Sets) opened(ctx context.Context, s *set) (Group, error) {
	f.mu.Lock()
	group := s.group
	s.retry = f.now().Add(openInterval)
	f.mu.Unlock()
	if group != nil {
		return group, nil
	}
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	group, err := s.Open(ctx)
	if err != nil {
		return nil, err
	}
	if f.suspends && !group.Suspends() {
		f.log.Warn("instances of this scale set cannot be suspended, and the runner was told that all can; fix: start the runner again", "operation", "read", "scale_set", s.Name)
	}
	f.mu.Lock()
	s.group = group
	closed := f.closed
	f.mu.Unlock()
	if closed {
		return group, group.Close(ctx)
	}
	return group, nil
}

// conclude makes a view of what has been read. What was canceled says nothing about a
// scale set.
func (f *Sets) conclude(ctx context.Context) (*View, error) {
	canceled := ctx.Err()
	f.mu.Lock()
	defer f.mu.Unlock()
	v := &View{}
	errs := make([]error, len(f.all))
	for n, s := range f.all {
		o := s.take()
		if canceled != nil && o != nil && o.err != nil {
			errs[n] = o.err
			continue
		}
		if f.noteLocked(s, o) {
			v.fresh = append(v.fresh, part{s, s.view})
		}
		errs[n] = s.failure
	}
	if len(v.fresh) == 0 {
		return nil, cmp.Or(joined(errs), canceled)
	}
	f.owners = map[string]*set{}
	for _, s := range f.all {
		f.addLocked(v, s)
	}
	return v, nil
}

// take returns the reading that has ended, and nil where there is none.
func (s *set) take() *observation {
	if s.reading == nil {
		return nil
	}
	select {
	case <-s.reading.done:
	default:
		return nil
	}
	o := s.reading
	s.reading = nil
	return o
}

// noteLocked takes over what a reading has found, and reports whether that is a view.
func (f *Sets) noteLocked(s *set, o *observation) bool {
	if o == nil {
		return false
	}
	before := s.failure
	s.failure = o.err
	switch {
	case o.err == nil && before != nil && len(f.all) > 1:
		f.log.Info("the scale set can be read again", "operation", "update", "scale_set", s.Name)
	case o.err != nil && before == nil && len(f.all) > 1:
		f.log.Error("the scale set cannot be read; what was known of its instances serves, and increases go to the others", "operation", "update", "scale_set", s.Name, "error", o.err)
	}
	if o.err != nil {
		return false
	}
	s.view = o.view
	return true
}

// addLocked adds a scale set's last view.
func (f *Sets) addLocked(v *View, s *set) {
	if s.view == nil {
		return
	}
	for _, m := range s.view.Members {
		m.MemberID += s.Suffix
		v.Members = append(v.Members, m)
		f.owners[m.MemberID] = s
	}
	for _, id := range s.view.Gone {
		v.Gone = append(v.Gone, id+s.Suffix)
		f.owners[id+s.Suffix] = s
	}
}

// ReconcilePending is instancegroup.Group's, for the scale sets that were read: of which
// the runner discovered these instances.
func (f *Sets) ReconcilePending(ctx context.Context, v *View, discovered []string) (lost int) {
	counts := map[*set]int{}
	f.mu.Lock()
	for _, id := range discovered {
		counts[f.owners[id]]++
	}
	f.mu.Unlock()
	for _, p := range v.fresh {
		lost += p.group.ReconcilePending(ctx, p.view, counts[p.set])
	}
	return lost
}

// Reap is instancegroup.Group's, for the scale sets that were read.
func (f *Sets) Reap(ctx context.Context, v *View) error {
	return f.eachFresh(v, func(p part) error { return p.group.Reap(ctx, p.view) })
}

// eachFresh calls do for each scale set that was read.
func (f *Sets) eachFresh(v *View, do func(p part) error) error {
	errs := make([]error, len(v.fresh))
	for n, p := range v.fresh {
		if err := do(p); err != nil && len(f.all) > 1 {
			errs[n] = fmt.Errorf("scale set %s: %w", p.Name, err)
		} else {
			errs[n] = err
		}
	}
	return joined(errs)
}
