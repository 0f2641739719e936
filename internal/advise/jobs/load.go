package jobs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Job is one that ran.
type Job struct {
	Arrives time.Time // in the queue: when it could have been taken
	Lasts   time.Duration
}

// Filter selects jobs. The zero Filter selects all.
type Filter struct {
	Tags         []string // that a job must have all of
	Runners      []string // one of which ran it: IDs or descriptions
	Projects     []string // one of which it is of: IDs or full paths
	Since, Until time.Time
	Start        time.Time // of times that are numbers of seconds; zero: unknown
}

// Load is what was read.
type Load struct {
	Jobs   []Job  // in the order of their arrival
	Format string // "JSON" or "CSV"

	Records    int // read, without repetitions
	Repeated   int // the same ID again, as pages have it that shift while they are read
	Unselected int // that the filter left out
	NeverRan   int // no runner took them, or they have not ended
	Stuck      int // of those: GitLab gave up, as no runner came
	Backwards  int // whose times contradict each other; left out
	NoQueue    int // without queued_duration: their arrival is not known, and their start stands for it

	Relative bool // times count from an unknown moment, so that weekdays and hours mean nothing

	tags    map[string]int // of all records
	tagless bool           // records have no tag_list at all
	ids     map[int64]struct{}
}

// entry is what both formats have in common of a record.
type entry struct {
	id                 int64
	created, started   time.Time
	queued, lasts      time.Duration
	hasQueued, ran     bool
	stuck, ended       bool
	tags               []string
	runnerID, runner   string
	projectID, project string
}

func newLoad(format string) *Load {
	return &Load{Format: format, tags: map[string]int{}, ids: map[int64]struct{}{}}
}

// add takes a record in.
func (l *Load) add(e entry, f Filter) {
	if e.id != 0 {
		if _, ok := l.ids[e.id]; ok {
			l.Repeated++
			return
		}
		l.ids[e.id] = struct{}{}
	}
	l.Records++
	for _, tag := range e.tags {
		if len(l.tags) < 1000 || l.tags[tag] > 0 {
			l.tags[tag]++
		}
	}
	arrives := e.arrival()
	switch {
	case !f.selects(e, arrives):
		l.Unselected++
	case !e.ran || !e.ended:
		l.NeverRan++
		if e.stuck {
			l.Stuck++
		}
	case e.backwards():
		l.Backwards++
	default:
		if !e.hasQueued {
			l.NoQueue++
		}
		l.Jobs = append(l.Jobs, Job{arrives, e.lasts})
	}
}

// arrival is when a job came into the queue. A job is created with its pipeline, and may
// wait for hours for the stages before it, or for a person, before it is queued.
func (e entry) arrival() time.Time {
	if !e.ran {
		return e.created
	}
	return e.started.Add(-e.queued)
}

// clockTolerance is how far the clocks of GitLab's machines may differ.
const clockTolerance = time.Minute

func (e entry) backwards() bool {
	return e.lasts < 0 || e.queued < 0 || e.started.Before(e.created.Add(-clockTolerance))
}

func (f Filter) selects(e entry, at time.Time) bool {
	for _, tag := range f.Tags {
		if !slices.Contains(e.tags, tag) {
			return false
		}
	}
	return oneOf(f.Runners, e.runnerID, e.runner) && oneOf(f.Projects, e.projectID, e.project) &&
		(f.Since.IsZero() || !at.Before(f.Since)) && (f.Until.IsZero() || at.Before(f.Until))
}

func oneOf(wanted []string, have ...string) bool {
	return len(wanted) == 0 || slices.ContainsFunc(wanted, func(w string) bool { return slices.Contains(have, w) })
}

// finish sorts the jobs, and returns an error where nothing is left to go by.
func (l *Load) finish(f Filter) error {
	l.ids = nil
	slices.SortStableFunc(l.Jobs, func(a, b Job) int { return a.Arrives.Compare(b.Arrives) })
	switch {
	case l.Records == 0:
		return fmt.Errorf("there are no jobs in it; fix: give it more pages, or another project")
	case l.Backwards > len(l.Jobs):
		return fmt.Errorf("the times of %d of its %d jobs run backwards (started before they were created, or a negative duration); fix: look at how it was exported", l.Backwards, l.Records)
	case len(l.Jobs) > 0:
		return nil
	case l.Unselected == l.Records:
		return fmt.Errorf("none of its %d jobs %s", l.Records, l.unselected(f))
	}
	return fmt.Errorf("none of the %d jobs ever ran, so that nothing is known of how long they take; fix: wait until some have run", l.NeverRan)
}

// unselected words why a filter selects nothing.
func (l *Load) unselected(f Filter) string {
	switch {
	case len(f.Tags) > 0 && len(l.tags) == 0:
		return fmt.Sprintf("has a tag: GitLab wrote no tag_list (it does so from version 14.6 on), or they need none; fix: leave out --tag %s", strings.Join(f.Tags, " --tag "))
	case len(f.Tags) > 0:
		return fmt.Sprintf("is selected with --tag %s; the tags in it: %s", strings.Join(f.Tags, " --tag "), l.commonTags())
	}
	return "is selected by --runner, --project, --since and --until; fix: leave one out"
}

func (l *Load) commonTags() string {
	names := slices.SortedFunc(maps.Keys(l.tags), func(a, b string) int { return cmp.Or(l.tags[b]-l.tags[a], strings.Compare(a, b)) })
	more := ""
	if len(names) > 10 {
		names, more = names[:10], ", …"
	}
	for n, name := range names {
		names[n] = fmt.Sprintf("%q (%d)", name, l.tags[name])
	}
	return strings.Join(names, ", ") + more
}
