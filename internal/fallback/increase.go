package fallback

import "context"

// Increase raises the scale sets by n in all: each by what those before it have no room
// for. One that merely waits, for Azure's request limits or another change, is waited for
// by the runner. The warm pool of one that is short of machines serves all the same. Where all are short of machines, each is asked as if there were no other.
// An error means that nothing was accepted.
func (f *Sets) Increase(ctx context.Context, n int) (int, error) {
	i := increase{Sets: f, left: n}
	eligible := f.eligible()
	var short []*set
	for _, s := range eligible {
		err := s.group.Shortage()
		if err != nil {
			i.fromPool(ctx, s)
			i.pass(s, err)
			short = append(short, s)
		}
		if i.left == 0 || err == nil && !i.from(ctx, s) {
			return i.result(n)
		}
	}
	i.passed = nil // none is passed by
	for _, s := range short {
		if !i.from(ctx, s) {
			break
		}
	}
	return i.result(n)
}

// increase is one increase.
type increase struct {
	*Sets
	left   int
	passed []passed
	errs   []error
}

// passed is a scale set that an increase went past, and why.
type passed struct {
	*set
	cause error
}

// eligible are the scale sets that can be raised: those that can be read, or all of which
// anything is known where none can.
func (f *Sets) eligible() (sets []*set) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.all {
		if s.group != nil && s.failure == nil {
			sets = append(sets, s)
		}
	}
	if len(sets) > 0 {
		return sets
	}
	for _, s := range f.all {
		if s.group != nil {
			sets = append(sets, s)
		}
	}
	return sets
}

// pass goes past a scale set.
func (i *increase) pass(s *set, cause error) { i.passed = append(i.passed, passed{s, cause}) }

// from raises a scale set, and reports whether the rest may go to another one.
func (i *increase) from(ctx context.Context, s *set) bool {
	accepted, err := s.group.Increase(ctx, i.left)
	shortage := s.group.Shortage()
	if accepted == 0 && err != nil && shortage == nil && len(i.all) > 1 {
		// What it had to tell may be of an earlier increase.
		told := err
		if accepted, err = s.group.Increase(ctx, i.left); err == nil {
			err = told
		}
		shortage = s.group.Shortage()
	}
	if err != nil {
		i.errs = append(i.errs, err)
	}
	i.left -= accepted
	if accepted > 0 {
		i.logServed(s, accepted)
	}
	if i.left == 0 || shortage == nil {
		return false
	}
	i.pass(s, shortage)
	return true
}

// fromPool takes what the warm pool of a scale set has.
func (i *increase) fromPool(ctx context.Context, s *set) {
	taken, err := s.group.TakeWarm(ctx, i.left)
	if err != nil {
		i.errs = append(i.errs, err)
	}
	i.left -= taken
}

// logServed tells which scale set serves in place of others, and why they do not.
func (i *increase) logServed(s *set, accepted int) {
	if len(i.all) == 1 {
		return
	}
	causes := make([]error, len(i.passed))
	for n, p := range i.passed {
		causes[n] = p.cause
	}
	if cause := joined(causes); cause != nil {
		i.log.Info("another scale set serves, as those before it have no room", "operation", "increase", "scale_set", s.Name, "count", accepted, "error", cause)
	}
}

// result is what Increase returns of n. An error that comes with a success would be taken
// for a failure of all.
func (i *increase) result(n int) (int, error) {
	err := joined(i.errs)
	if i.left == n {
		return 0, err
	}
	if err != nil {
		i.log.Warn("a scale set could not be increased, and another one serves", "operation", "increase", "count", i.left, "error", err)
	}
	return n - i.left, nil
}
