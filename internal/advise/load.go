package advise

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
)

// peak is how many jobs would run at the same time if none waited.
func peak(all []jobs.Job) int {
	type change struct {
		at time.Time
		by int
	}
	changes := make([]change, 0, 2*len(all))
	for _, j := range all {
		changes = append(changes, change{j.Arrives, 1}, change{j.Arrives.Add(j.Lasts), -1})
	}
	slices.SortFunc(changes, func(a, b change) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.by - b.by
	})
	now, most := 0, 0
	for _, c := range changes {
		now += c.by
		most = max(most, now)
	}
	return most
}

// largestBurst is the most jobs that arrive within a span.
func largestBurst(all []jobs.Job, span time.Duration) int {
	most, first := 0, 0
	for n, j := range all {
		for j.Arrives.Sub(all[first].Arrives) > span {
			first++
		}
		most = max(most, n-first+1)
	}
	return most
}

// typicalBurst is the size of the burst that a job is in at the median: how many jobs
// arrive within a span from the one that begins it.
func typicalBurst(all []jobs.Job, span time.Duration) int {
	var sizes []int
	for n := 0; n < len(all); {
		end := n
		for end < len(all) && all[end].Arrives.Sub(all[n].Arrives) <= span {
			end++
		}
		for range end - n {
			sizes = append(sizes, end-n)
		}
		n = end
	}
	slices.Sort(sizes)
	return sizes[len(sizes)/2]
}

// busyTime is when most jobs arrive.
type busyTime struct {
	days        []time.Weekday
	first, last int // hours of the day, both within
}

// busyTimeOf finds the days with at least half of the busiest one's arrivals, and the
// fewest hours in a row with four fifths of the arrivals on them. It reports whether that
// leaves a quarter of the week out, without which a schedule saves nothing.
func busyTimeOf(all []jobs.Job, zone *time.Location) (busyTime, bool) {
	var days [7]int
	for _, j := range all {
		days[j.Arrives.In(zone).Weekday()]++
	}
	var b busyTime
	for _, day := range []time.Weekday{1, 2, 3, 4, 5, 6, 0} {
		if 2*days[day] >= slices.Max(days[:]) {
			b.days = append(b.days, day)
		}
	}
	var hours [24]int
	total := 0
	for _, j := range all {
		if at := j.Arrives.In(zone); slices.Contains(b.days, at.Weekday()) {
			hours[at.Hour()]++
			total++
		}
	}
	b.first, b.last = fewestHours(hours, total*4/5)
	length := b.last - b.first + 1
	return b, len(b.days)*length <= 7*24*3/4
}

// fewestHours is the shortest range with that many arrivals, and the busiest of such.
func fewestHours(hours [24]int, wanted int) (first, last int) {
	last = 23
	best := 0
	for a := range 24 {
		sum := 0
		for b := a; b < 24; b++ {
			sum += hours[b]
			if sum < wanted {
				continue
			}
			if b-a < last-first || b-a == last-first && sum > best {
				first, last, best = a, b, sum
			}
			break
		}
	}
	return first, last
}

// period is it in the runner's words.
func (b busyTime) period() string {
	names := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	var list []string
	for _, day := range b.days {
		list = append(list, names[day])
	}
	days := strings.Join(list, ",")
	if len(list) == 7 {
		days = "*"
	} else if days == "mon,tue,wed,thu,fri" {
		days = "mon-fri"
	}
	return fmt.Sprintf("* %d-%d * * %s", b.first, b.last, days)
}
