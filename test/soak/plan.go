package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// act is a fault or a kill, so long after the start.
type act struct {
	at     time.Duration
	name   string
	fault  *armsim.Fault
	events []armsim.Event

	strike string // evict or kill: a running instance, which pick chooses
	pick   uint64

	killPlugin bool
}

// Streams of the seed: one more fault must shift no kill and no job.
const (
	streamFaults = iota + 1
	streamKills
	streamJobs
	streamSetUp
)

func stream(seed, n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }

// between draws a time, in whole tenths of a second so that a log of it is easy
// to read.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)+1)).Truncate(100*time.Millisecond)
}

// planActs plans faults and kills for the seed, in their order. Kinds of faults
// come from a deck that is shuffled and dealt to its end, so that a long soak
// has all of them.
func planActs(o options) []act {
	var acts []act
	d := deck{rand: stream(o.Seed, streamFaults), flexible: o.Flexible(), spot: o.Spot != ""}
	for at := 15 * time.Second; at < o.duration; at += between(d.rand, 8*time.Second, 26*time.Second) {
		a := d.deal()
		a.at, a.pick = at, d.rand.Uint64()
		acts = append(acts, a)
	}
	// After a kill taskscaler holds back for up to 40 s: each old instance that
	// the runner refuses counts as a failure (taskscaler's ratelimit.go). More
	// kills than this would leave no time for anything else.
	kills := stream(o.Seed, streamKills)
	for at := between(kills, 40*time.Second, 70*time.Second); at < o.duration; at += between(kills, 50*time.Second, 85*time.Second) {
		acts = append(acts, act{at: at, killPlugin: true})
	}
	slices.SortStableFunc(acts, func(a, b act) int { return int(a.at - b.at) })
	return acts
}

// planJobs has jobs arrive in bursts.
func planJobs(o options) []load.Arrival {
	r := stream(o.Seed, streamJobs)
	var all []load.Arrival
	for at := time.Duration(0); at < o.duration; at += between(r, 15*time.Second, 35*time.Second) {
		for range 2 + r.IntN(5) {
			all = append(all, load.Arrival{At: at, Job: load.Job{Number: len(all) + 1, Steps: 2 + r.IntN(11)}})
		}
	}
	return all
}

// parallelWrites is what the scale set does with two writes at once: that is not
// known of Azure, so the seed decides.
func parallelWrites(seed uint64) string {
	all := []string{armsim.ParallelQueue, armsim.ParallelConflict, armsim.ParallelPreempt}
	return all[stream(seed, streamSetUp).IntN(len(all))]
}

// deck deals kinds of faults.
type deck struct {
	rand     *rand.Rand
	flexible bool
	spot     bool
	left     []kind
}

func (d *deck) deal() act {
	if len(d.left) == 0 {
		d.left = slices.Clone(kinds)
		d.left = slices.DeleteFunc(d.left, func(k kind) bool { return k.onlySpot && !d.spot })
		d.rand.Shuffle(len(d.left), func(i, j int) { d.left[i], d.left[j] = d.left[j], d.left[i] })
	}
	k := d.left[0]
	d.left = d.left[1:]
	a := k.draw(d)
	a.name = k.name
	if a.fault != nil {
		a.fault.Name = k.name
	}
	return a
}

// Helpers of the kinds.

func (d *deck) span(least, most int) armsim.Span {
	return armsim.Span(between(d.rand, time.Duration(least)*time.Second, time.Duration(most)*time.Second))
}

func oneOf[T any](d *deck, all ...T) T { return all[d.rand.IntN(len(all))] }

// lists is the operation that lists the instances.
func (d *deck) lists() string {
	if d.flexible {
		return "VirtualMachines_List"
	}
	return "VirtualMachineScaleSetVMs_List"
}
