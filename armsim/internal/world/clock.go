package world

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Clock is the simulated time and what will happen in it. Events run one at a
// time, in order of their time. Like the World it is guarded by its owner's
// lock.
type Clock struct {
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

// NewClock makes a clock that shows the present time. A virtual one moves only
// by Advance; another one moves scale times as fast as real time, once Run
// drives it.
func NewClock(virtual bool, scale float64) *Clock {
	now := time.Now()
	return &Clock{scale: scale, virtual: virtual, stopped: now, start: now, wake: make(chan struct{}, 1)}
}

// Now is the simulated time.
func (c *Clock) Now() time.Time {
	if c.virtual {
		return c.stopped
	}
	return c.start.Add(time.Duration(float64(time.Since(c.start)) * c.scale))
}

// After plans run for when d has passed.
func (c *Clock) After(d time.Duration, run func()) {
	c.count++
	heap.Push(&c.queue, event{at: c.Now().Add(d), seq: c.count, run: run})
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Advance moves virtual time by d and runs what falls due, event by event, so
// that each sees the time it was planned for.
func (c *Clock) Advance(d time.Duration) {
	end := c.stopped.Add(d)
	for len(c.queue) > 0 && !c.queue[0].at.After(end) {
		e := heap.Pop(&c.queue).(event)
		if e.at.After(c.stopped) {
			c.stopped = e.at
		}
		e.run()
	}
	c.stopped = end
}

// Run drives real time until ctx ends, and takes the lock for what is due. The
// caller must not hold the lock.
func (c *Clock) Run(ctx context.Context, lock sync.Locker) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-timer.C:
		}
		timer.Reset(c.runDue(lock))
	}
}

// runDue runs all that is due and returns the real time until the next event.
func (c *Clock) runDue(lock sync.Locker) time.Duration {
	lock.Lock()
	defer lock.Unlock()
	for len(c.queue) > 0 {
		if wait := c.queue[0].at.Sub(c.Now()); wait > 0 {
			return max(1, time.Duration(float64(wait)/c.scale)) // 0 would spin where time is a test's
		}
		heap.Pop(&c.queue).(event).run()
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
