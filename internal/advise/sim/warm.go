package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
)

// warmPool are deallocated instances as the plugin keeps them (decision 16): it goes on
// with each update, and grows while the runner waits for nothing.
type warmPool struct {
	size   int
	ready  int // that the last update saw deallocated
	made   uint64
	making []*warming
}

// warming is an instance on its way into the pool.
type warming struct {
	created, up time.Time
	seen        time.Time // when an update saw it running; zero: none has
	off         time.Time // when its deallocation is complete; zero: it has not begun
	fails       bool
	lasts       time.Duration // that its deallocation takes
}

// warmSettle is how long the plugin lets an instance run before it deallocates it.
const warmSettle = time.Minute

// firstWarming keeps the chances of instances of the pool apart from those of the
// runner's, which are to be the same with a pool and without.
const firstWarming = 1 << 32

// take reports whether a start is that of an instance of the pool.
func (p *warmPool) take() bool {
	if p.ready == 0 {
		return false
	}
	p.ready--
	return true
}

// keepWarmLocked does what the plugin does for its pool at the end of an update.
func (g *group) keepWarmLocked(now time.Time) {
	p := &g.warm
	p.making = slices.DeleteFunc(p.making, func(w *warming) bool {
		switch {
		case !w.off.IsZero():
			if now.Before(w.off) {
				return false
			}
			g.tally.instance(w.created, w.off)
			p.ready++
			return true
		case now.Before(w.up):
		case w.fails:
			g.tally.instance(w.created, now)
			return true
		case w.seen.IsZero():
			w.seen = now
		case now.Sub(w.seen) >= warmSettle:
			w.off = now.Add(w.lasts)
		}
		return false
	})
	for _, v := range g.vms {
		if v.state(now) == provider.StateCreating {
			return
		}
	}
	for p.ready+len(p.making) < p.size {
		p.making = append(p.making, g.newWarming(now))
	}
}

func (g *group) newWarming(now time.Time) *warming {
	random := rand.New(rand.NewPCG(g.seed, firstWarming+g.warm.made))
	g.warm.made++
	return &warming{
		created: now, up: now.Add(g.fleet.Boot.draw(random)), lasts: g.fleet.Deletion.draw(random),
		fails: random.Float64() < g.fleet.FailedStarts,
	}
}
