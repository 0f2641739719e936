package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// A list of up to two pages is read whenever there is room for another one.
func TestShortListsArePaced(t *testing.T) {
	p := pace{began: start}
	assert.True(t, p.mayList(quiet, vmss.ListRoom{Pages: 4, Cost: 2, PerMinute: 10}, start))
	last := vmss.ListRoom{Pages: 3, Cost: 2, PerMinute: 10}
	assert.False(t, p.mayList(due, last, start))
	assert.True(t, p.mayList(due, last, start.Add(oldShortView)), "the last view is too old to save it")
}

// A long list is read as often as there is something to learn, within what Azure allows.
func TestLongListsArePaced(t *testing.T) {
	thousand := vmss.ListRoom{Pages: 30, Cost: 20, PerMinute: 10}
	flexible := vmss.ListRoom{Pages: 210, Cost: 20, PerMinute: 300}
	for _, c := range []struct {
		name  string
		need  need
		room  vmss.ListRoom
		after time.Duration
	}{
		{"Uniform, some should be up", due, thousand, 9500 * time.Millisecond},
		{"Uniform, some are on their way", underway, thousand, 5 * time.Minute},
		{"Uniform, quiet", quiet, thousand, 6 * time.Minute},
		{"Flexible, some should be up", due, flexible, 9500 * time.Millisecond},
		{"Flexible, some are on their way", underway, flexible, 47500 * time.Millisecond},
		{"Flexible, quiet", quiet, flexible, 57 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pace{began: start}
			assert.False(t, p.mayList(c.need, c.room, start.Add(c.after-1)))
			assert.True(t, p.mayList(c.need, c.room, start.Add(c.after)))
		})
	}
	p := pace{began: start}
	few := vmss.ListRoom{Pages: 14, Cost: 20, PerMinute: 10}
	assert.False(t, p.mayList(due, few, start.Add(time.Minute)), "it would wait for most of its pages")
	few.Pages++
	assert.True(t, p.mayList(due, few, start.Add(time.Minute)))
	assert.False(t, p.mayList(quiet, few, start.Add(time.Minute)))
	assert.True(t, p.mayList(quiet, few, start.Add(time.Hour)), "the last view is too old to save pages")
}

// TestSteadyRate: where Azure allows hundreds of pages a minute, no more are read than
// there is use for.
func TestSteadyRate(t *testing.T) {
	var p pace
	room, pages := vmss.ListRoom{Pages: 210, Cost: 10, PerMinute: 300}, 0
	for now := start; now.Before(start.Add(time.Hour)); now = now.Add(time.Second) {
		if p.mayList(due, room, now) {
			p.begin(room, now)
			pages += room.Cost
		}
		n := p.glances(room, now)
		p.spend(n, now)
		pages += n
	}
	assert.InDelta(t, 60*steadyPages+savedPages, pages, 60)
}

func TestBoots(t *testing.T) {
	var b boots
	assert.Equal(t, 18*time.Second, b.early())
	assert.Equal(t, 90*time.Second, b.half())
	assert.Zero(t, b.chance(0, 20*time.Second))
	assert.InDelta(t, 0.5, b.chance(90*time.Second, 125*time.Second), 0.01)
	for n := range 3 * bootSamples { // the last ones count
		b.add(time.Duration(n) * time.Second)
	}
	assert.Len(t, b.samples, bootSamples)
	assert.InDelta(t, (2*bootSamples + 6), b.quantile(0.1, 0).Seconds(), 2)
	assert.InDelta(t, 2.5*bootSamples, b.half().Seconds(), 2)
	assert.Zero(t, b.chance(0, time.Minute))
	assert.InDelta(t, 1, b.chance(0, time.Hour), 0.01)
	assert.Positive(t, b.chance(time.Hour, 2*time.Hour), "it takes longer than any did")
}
