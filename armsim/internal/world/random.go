package world

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// Random is all chance of a world: one stream of draws from the seed. A draw
// more or less changes all that follow.
type Random struct {
	*rand.Rand
	suffixes map[string]bool // of names, ever given
}

func newRandom(seed uint64) *Random {
	return &Random{Rand: rand.New(rand.NewPCG(seed, 1)), suffixes: map[string]bool{}}
}

// uuid draws from the seed, so that a run replays.
func (r *Random) uuid() string {
	var raw [16]byte
	for i := range raw {
		raw[i] = byte(r.UintN(256))
	}
	raw[6], raw[8] = raw[6]&0x0f|0x40, raw[8]&0x3f|0x80
	return uuid.UUID(raw).String()
}

// suffix draws eight digits that no instance had before.
func (r *Random) suffix() string {
	for {
		drawn := fmt.Sprintf("%08x", r.Uint32())
		if !r.suffixes[drawn] {
			r.suffixes[drawn] = true
			return drawn
		}
	}
}

// letters are the end of a Flexible set's computer name.
func (r *Random) letters() string {
	const all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	drawn := make([]byte, 6)
	for i := range drawn {
		drawn[i] = all[r.IntN(len(all))]
	}
	return string(drawn)
}

// Duration is a time that varies: log-normal around Median with the given
// Spread (standard deviation of the logarithm), never under a tenth of Median
// nor over ten times. Spread 0 is exact.
type Duration struct {
	Median time.Duration
	Spread float64
}

func (d Duration) draw(r *rand.Rand) time.Duration {
	if d.Spread == 0 || d.Median == 0 {
		return d.Median
	}
	f := math.Exp(r.NormFloat64() * d.Spread)
	return time.Duration(float64(d.Median) * min(max(f, 0.1), 10))
}
