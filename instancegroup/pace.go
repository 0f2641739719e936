package instancegroup

import (
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// need is how much there is to learn from a list.
type need int

const (
	quiet    need = iota // nothing changes by the plugin's doing
	underway             // something is being created or deleted
	due                  // by now it should have ended
)

// pace owns when the instances are listed. A list costs Azure's limits a request for
// each page, of which a Uniform scale set gets 30 at once and 10 a minute, so that one
// of a thousand instances is possible every two minutes: it is read when most of what
// it can tell has happened.
type pace struct {
	began   time.Time // of the last list
	boots   boots
	saved   float64   // pages that may be read beyond the steady rate
	counted time.Time // when saved was
}

const (
	// steadyPages are how many pages a minute are read in the long run, and
	// savedPages how many at once, where Azure's limits would allow more: a list of a
	// thousand virtual machines every half minute, or every two seconds one of fifty.
	steadyPages = 46
	savedPages  = 240

	// oldView and oldShortView are the ages at which the last list is too old to save
	// pages.
	oldView      = 2 * time.Minute
	oldShortView = 30 * time.Second

	// plentyInterval is how often a list must be possible for lists not to be scarce.
	plentyInterval = 30 * time.Second

	// shortList is of how many pages a list is that costs next to nothing.
	shortList = 2
)

// sustained is the time in which Azure's limits allow one list.
func sustained(r vmss.ListRoom) time.Duration {
	return time.Duration(float64(r.Cost) / r.PerMinute * float64(time.Minute))
}

func isShort(r vmss.ListRoom) bool { return r.Cost <= shortList }

// isScarce reports whether Azure's limits allow the list, a long one, now and then only.
func isScarce(r vmss.ListRoom) bool { return !isShort(r) && sustained(r) > plentyInterval }

// isPlentiful reports whether Azure's limits allow the list, a long one, all the time.
// What lists tell is not asked for one by one then.
func isPlentiful(r vmss.ListRoom) bool { return !isShort(r) && !isScarce(r) }

// interval is how long the next list waits after the last one: the longer, the more
// pages a list has. fleeting asks every two seconds while something is under way, and
// once a minute otherwise.
func (p *pace) interval(n need, r vmss.ListRoom) time.Duration {
	pages, every := time.Duration(r.Cost-1)*time.Second, sustained(r)
	switch n {
	case due:
		return pages / 2
	case underway:
		return max(every, pages) * 5 / 2
	}
	return max(every, pages) * 3
}

// pagesNeeded is how many pages have to be possible for a list to begin. One that is
// due may wait for the last quarter on its way; others leave as much as a further list
// takes, or what the limit allows.
func pagesNeeded(n need, r vmss.ListRoom) int {
	const most = 20
	if n == due {
		return min(most, max(1, r.Cost*3/4))
	}
	return min(most, r.Cost) + min(most/2, r.Cost)
}

// mayList reports whether to list the instances now. A short list is read whenever
// fleeting asks, but for the last one that the limits leave.
func (p *pace) mayList(n need, r vmss.ListRoom, now time.Time) bool {
	p.save(now)
	if isShort(r) {
		return r.Lists() > 1 || r.Lists() > 0 && now.Sub(p.began) >= oldShortView
	}
	steady := p.saved >= float64(r.Cost) || r.PerMinute <= steadyPages
	if !steady || now.Sub(p.began) < p.interval(n, r) {
		return false
	}
	return r.Pages >= pagesNeeded(n, r) || now.Sub(p.began) >= oldView && r.Pages >= pagesNeeded(due, r)
}

func (p *pace) save(now time.Time) {
	if p.counted.IsZero() {
		p.saved = savedPages
	} else {
		p.saved = min(savedPages, p.saved+now.Sub(p.counted).Minutes()*steadyPages)
	}
	p.counted = now
}

// begin notes that a list begins.
func (p *pace) begin(r vmss.ListRoom, now time.Time) {
	p.began = now
	p.spend(r.Cost, now)
}

func (p *pace) spend(pages int, now time.Time) {
	p.save(now)
	p.saved = max(0, p.saved-float64(pages))
}

// glances is how many pages may be read again now. None may where a whole list has to
// come first, and saves for it.
func (p *pace) glances(r vmss.ListRoom, now time.Time) int {
	if now.Sub(p.began) >= p.interval(underway, r) {
		return 0
	}
	p.save(now)
	return max(0, min(r.Pages, int(p.saved)))
}

// patienceOf is the age at which an instance is looked for: where a list is cheap,
// when the first may be up, else when half of them are.
func (p *pace) patienceOf(r vmss.ListRoom) time.Duration {
	if isScarce(r) {
		return p.boots.half()
	}
	return p.boots.early()
}

// boots are the times that instances took to come up, the last ones.
type boots struct {
	samples []time.Duration
	next    int
}

const bootSamples = 64

// add records a time.
func (b *boots) add(took time.Duration) {
	if len(b.samples) < bootSamples {
		b.samples = append(b.samples, took)
		return
	}
	b.samples[b.next%bootSamples] = took
	b.next++
}

// early is when the first of many come up, half when half of them have. As long as
// nothing is known, they are what Azure takes for usual images.
func (b *boots) early() time.Duration { return b.quantile(0.1, 20*time.Second) * 9 / 10 }

func (b *boots) half() time.Duration { return b.quantile(0.5, 90*time.Second) }

// chance is how likely an instance that was not up at one age is so at another.
func (b *boots) chance(from, to time.Duration) float64 {
	before, now := b.part(from), b.part(to)
	if before >= 1 {
		return 0.1 // it takes longer than any did
	}
	return (now - before) / (1 - before)
}

// part is the part of all instances that come up within a time.
func (b *boots) part(within time.Duration) float64 {
	const unknownFirst, unknownLast = 20 * time.Second, 160 * time.Second
	if len(b.samples) == 0 {
		return min(1, max(0, float64(within-unknownFirst)/float64(unknownLast-unknownFirst)))
	}
	n := 0
	for _, s := range b.samples {
		if s <= within {
			n++
		}
	}
	return float64(n) / float64(len(b.samples))
}

func (b *boots) quantile(q float64, unknown time.Duration) time.Duration {
	if len(b.samples) == 0 {
		return unknown
	}
	sorted := slices.Sorted(slices.Values(b.samples))
	return sorted[int(q*float64(len(sorted)-1))]
}
