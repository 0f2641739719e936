package instancegroup

import (
	"errors"
	"slices"
	"time"
)

// Observer is told what happens to a group, for metrics. Its methods are called with
// the group's lock held: they must return at once, and must not call the group.
type Observer interface {
	Warmed(instances int)            // so many came from the warm pool, of an increase
	WarmStarted(after time.Duration) // one of them was first seen running, after the increase
	Increased(instances int)         // Azure accepted an increase by that many
	IncreaseRefused()                // Azure refused one, or it failed
	Created(after time.Duration)     // an instance was first seen running, after the acceptance of its increase
	Deleted(after time.Duration)     // an instance was found gone, after its deletion was first accepted
	Detected(within time.Duration)   // an instance was first seen running, at most so long after it was
	Removed(reason Removal)          // the deletion of an instance was accepted, or it was found gone without one
	Lost(instances int)              // so many were accepted and will never be created
	Viewed(took time.Duration)       // a complete view was made
}

// watch owns what is needed to tell an observer, and nothing that decides. Without an
// observer it does nothing.
type watch struct {
	observer Observer
	accepted []acceptance // whose instances have neither come up nor failed to, oldest first
}

// acceptance is of an increase. Which increase made an instance is unknown: the oldest
// is taken, as the ledger does.
type acceptance struct {
	at   time.Time
	left int
}

func (w *watch) warmStarted(after time.Duration) {
	if w.observer != nil {
		w.observer.WarmStarted(after)
	}
}

// taken is told how many instances the warm pool has given to the runner.
func (w *watch) taken(n int) {
	if w.observer != nil && n > 0 {
		w.observer.Warmed(n)
	}
}

func (w *watch) increased(accepted int, err error, now time.Time) {
	if w.observer == nil {
		return
	}
	if accepted > 0 {
		w.observer.Increased(accepted)
		w.accepted = append(w.accepted, acceptance{now, accepted})
	}
	if err != nil && !errors.Is(err, errDeferred) {
		w.observer.IncreaseRefused()
	}
}

// reconciled is told how many instances were lost, and how many are still pending.
// Where nothing is on its way any longer, what is left of the acceptances was made by
// somebody else's instances, and would be charged to later ones.
func (w *watch) reconciled(v *View, lost, pending int) {
	if w.observer == nil {
		return
	}
	if lost > 0 {
		w.observer.Lost(lost)
	}
	for range lost {
		w.settle()
	}
	if pending == 0 && !slices.ContainsFunc(v.Members, func(m Member) bool { return m.State == Creating }) {
		w.accepted = nil
	}
}

// removed is for a member whose deletion Azure has accepted for the first time; nil
// for one that no view has shown. One that is being deleted already is so by others.
func (w *watch) removed(m *Member) {
	switch {
	case w.observer == nil:
	case m == nil:
		w.observer.Removed(Requested)
	case m.State != Deleting:
		w.observer.Removed(removalOf(m.Reason))
	}
}

// viewed is told of a complete view.
func (w *watch) viewed(began, now time.Time) {
	if w.observer != nil {
		w.observer.Viewed(now.Sub(began))
	}
}

// changed is told what a view, or a page, changes. Of the first view's instances nothing
// is known that could be measured.
func (w *watch) changed(l listing, c changes, d *deletions, now time.Time) {
	if w.observer == nil {
		return
	}
	for _, s := range c.settled {
		w.settled(s, now)
	}
	for _, id := range c.gone {
		w.gone(l.base.Find(id), d.accepted[id], now)
	}
}

// settled is told of an instance that has come up, or no longer will.
func (w *watch) settled(s settlement, now time.Time) {
	at, ok := w.settle()
	if s.state != Running {
		return
	}
	w.observer.Detected(s.within)
	if ok {
		w.observer.Created(now.Sub(at))
	}
}

func (w *watch) gone(before *Member, d *deletion, now time.Time) {
	if d != nil {
		w.observer.Deleted(now.Sub(d.first))
	} else {
		w.observer.Removed(Vanished)
	}
	if before != nil && before.State == Creating {
		w.settle()
	}
}

// settle takes one instance from the oldest acceptance, and returns when that was;
// false where there is none, as for an instance that somebody else made.
func (w *watch) settle() (time.Time, bool) {
	if len(w.accepted) == 0 {
		return time.Time{}, false
	}
	oldest := &w.accepted[0]
	at := oldest.at
	if oldest.left--; oldest.left == 0 {
		w.accepted = w.accepted[1:]
	}
	return at, true
}
