package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func newBreaker() *startBreaker {
	b := newIncreaseBackoffs().start
	return &b
}

// One view that shows many deaths, or many views that show one each, are one
// verdict.
func TestBreakerTripsOncePerPause(t *testing.T) {
	b := newBreaker()
	tripped, first := b.record(start, 0, 5)
	assert.True(t, tripped && first)
	pause := b.until
	for n := range 10 {
		tripped, _ = b.record(start.Add(time.Duration(n)*time.Second), 0, 1)
		assert.False(t, tripped)
	}
	assert.Equal(t, pause, b.until, "what is known late of the same increase does not prolong it")
	tripped, first = b.record(pause, 0, 1)
	assert.True(t, tripped)
	assert.False(t, first)
	assert.Equal(t, pause.Add(30*time.Second), b.until)
}

// Where one start of five fails there is hardly a pause; where four do, there is.
func TestBreakerWeighsStarts(t *testing.T) {
	paused := func(failing int) (total time.Duration) {
		b, now := newBreaker(), start
		for range 60 {
			if b.active(now) {
				total += b.until.Sub(now)
				now = b.until
			}
			for n := range 5 {
				now = now.Add(time.Second)
				if n < failing {
					b.record(now, 0, 1)
				} else {
					b.record(now, 1, 0)
				}
			}
		}
		return total
	}
	assert.LessOrEqual(t, paused(1), 20*time.Second)
	assert.Greater(t, paused(4), 20*time.Minute)
	assert.Greater(t, paused(5), 8*time.Hour)
}

func TestBreakerAfterLongSuccess(t *testing.T) {
	b := newBreaker()
	for range 1000 {
		b.record(start, 1, 0)
	}
	failures := 0
	for tripped := false; !tripped; failures++ {
		tripped, _ = b.record(start, 0, 1)
	}
	assert.LessOrEqual(t, failures, startWindow)
}

// A success among failures ends a short pause, and shortens a long one's successor.
func TestBreakerEases(t *testing.T) {
	b := newBreaker()
	b.record(start, 0, 1)
	b.record(start, 4, 0)
	assert.False(t, b.active(start))

	b, now := newBreaker(), start
	for range 4 { // 15 s, 30 s, 1 min, 2 min
		b.record(now, 0, 1)
		now = b.until
	}
	b.record(now, 9, 0)
	b.record(now, 0, 8)
	assert.Equal(t, now.Add(time.Minute), b.until)
}
