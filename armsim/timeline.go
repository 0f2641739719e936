package armsim

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// timeline is the simulated time and what will happen in it. Events run one at
// a time, in order of their time, with lock held.
type timeline struct {
	lock  sync.Locker
	scale float64

	virtual bool
	stopped time.Time // the time, where it is virtual
	start   time.Time // real start, where it is not

	queue events
	count uint64
	wake  chan struct{}
}

type event struct {
	at  time.Time
	seq uint64 // first planned, first run
	run func()
}

func newTimeline(lock sync.Locker, virtual bool, scale float64) *timeline {
	now := time.Now()
	return &timeline{lock: lock, scale: scale, virtual: virtual, stopped: now, start: now, wake: make(chan struct{}, 1)}
}

// now is the simulated time; lock must be held.
func (l *timeline) now() time.Time {
	if l.virtual {
		return l.stopped
	}
	return l.start.Add(time.Duration(float64(time.Since(l.start)) * l.scale))
}

// after plans run; lock must be held.
func (l *timeline) after(d time.Duration, run func()) {
	l.count++
	heap.Push(&l.queue, event{at: l.now().Add(d), seq: l.count, run: run})
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// advance moves virtual time by d and runs what falls due, event by event, so
// that each sees the time it was planned for.
func (l *timeline) advance(d time.Duration) {
	l.lock.Lock()
	defer l.lock.Unlock()
	end := l.stopped.Add(d)
	for len(l.queue) > 0 && !l.queue[0].at.After(end) {
		e := heap.Pop(&l.queue).(event)
		if e.at.After(l.stopped) {
			l.stopped = e.at
		}
		e.run()
	}
	l.stopped = end
}

// run drives real time until ctx ends.
func (l *timeline) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-timer.C:
		}
		timer.Reset(l.runDue())
	}
}

// runDue runs all that is due and returns the real time until the next event.
func (l *timeline) runDue() time.Duration {
	l.lock.Lock()
	defer l.lock.Unlock()
	for len(l.queue) > 0 {
		if wait := l.queue[0].at.Sub(l.now()); wait > 0 {
			return max(1, time.Duration(float64(wait)/l.scale)) // none at all would spin where time is a test's
		}
		heap.Pop(&l.queue).(event).run()
	}
	return time.Hour
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if e[i].at.Equal(e[j].at) {
		return e[i].seq < e[j].seq
	}
	return e[i].at.Before(e[j].at)
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}
