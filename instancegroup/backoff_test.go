package instancegroup

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// start is when the tests of parts begin; only differences matter.
var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestBackoffGrowsAndEnds(t *testing.T) {
	b := backoff{shortest: time.Second, longest: 5 * time.Second}
	assert.False(t, b.active(start))
	for n, pause := range []time.Duration{1, 2, 4, 5, 5} {
		assert.Equal(t, n == 0, b.fail(start, nil), "an episode begins with its first failure")
		assert.True(t, b.active(start.Add(pause*time.Second-1)))
		assert.False(t, b.active(start.Add(pause*time.Second)))
	}
	assert.Equal(t, 5, b.reset())
	assert.False(t, b.active(start))
	assert.True(t, b.fail(start, nil))
}

func TestBackoffIsAtLeastWhatAzureAsks(t *testing.T) {
	b := backoff{shortest: time.Second, longest: 5 * time.Second}
	b.fail(start, &armerr.Error{Kind: armerr.Throttled, RetryAfter: time.Minute})
	assert.True(t, b.active(start.Add(time.Minute-1)))
	assert.False(t, b.active(start.Add(time.Minute)))
}

func TestBackoffEases(t *testing.T) {
	b := backoff{shortest: time.Second, longest: time.Hour}
	for range 4 {
		b.fail(start, nil)
	}
	b.ease()
	assert.True(t, b.active(start), "one success does not end it")
	b.fail(start, nil)
	assert.Equal(t, start.Add(4*time.Second), b.until, "the next pause is shorter")
	b = backoff{shortest: time.Second, longest: time.Hour}
	b.fail(start, nil)
	b.ease()
	assert.False(t, b.active(start))
}

// However often it fails, the pause stays within its bounds.
func TestBackoffIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := backoff{shortest: time.Second, longest: 10 * time.Minute}
		for range rapid.IntRange(1, 100).Draw(t, "failures") {
			b.fail(start, nil)
			pause := b.until.Sub(start)
			assert.True(t, pause >= b.shortest && pause <= b.longest, pause)
		}
	})
}

func TestIncreaseBackoffsByKind(t *testing.T) {
	for _, c := range []struct {
		kind      armerr.Kind
		transient bool
	}{{armerr.Network, true}, {armerr.Conflict, true}, {armerr.Throttled, true}, {armerr.Quota, false}, {armerr.Forbidden, false}} {
		b := newIncreaseBackoffs()
		first, failures := b.refused(start, azure(c.kind, 400))
		assert.True(t, first)
		assert.Equal(t, 1, failures)
		assert.Equal(t, c.transient, b.transient.active(start), c.kind)
		assert.Equal(t, !c.transient, b.rejection.active(start), c.kind)
		assert.True(t, b.active(start))
		assert.Equal(t, 1, b.accepted())
		assert.False(t, b.active(start))
	}
	b := newIncreaseBackoffs()
	b.start.fail(start, errors.New("did not come up"))
	assert.Zero(t, b.accepted(), "an accepted increase proves nothing about the start of instances")
	assert.True(t, b.active(start))
}
