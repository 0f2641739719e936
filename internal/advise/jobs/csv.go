package jobs

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// columns of CSV; the first two must be there.
var columns = []string{"created_at", "duration", "queued", "tag", "status"}

// readCSV reads lines of created_at, queued, duration and tag, in any order and with
// others among them.
func readCSV(r io.Reader, f Filter) (*Load, error) {
	c := csv.NewReader(&source{r: r, left: math.MaxInt})
	c.ReuseRecord, c.FieldsPerRecord = true, -1
	head, err := c.Read()
	if err != nil {
		return nil, errors.New("it is neither JSON nor CSV; fix: give it the response of GitLab's API, or CSV with the columns created_at,queued,duration,tag")
	}
	t := table{place: map[string]int{}}
	for n, name := range head {
		t.place[strings.ToLower(strings.TrimSpace(name))] = n
	}
	for _, name := range columns[:2] {
		if _, ok := t.place[name]; !ok {
			return nil, fmt.Errorf("it is neither JSON nor CSV with a column %s; its first line is %q; fix: give it the response of GitLab's API, or CSV with the columns created_at,queued,duration,tag", name, oneLine(strings.Join(head, ",")))
		}
	}
	l := newLoad("CSV")
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			l.Relative = t.relative && f.Start.IsZero()
			return l, l.finish(f)
		}
		if err != nil {
			return nil, fmt.Errorf("it is no CSV: %s", oneLine(err.Error()))
		}
		e, err := t.entry(row, f.Start)
		if err != nil {
			at, _ := c.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", at, err)
		}
		l.add(e, f)
	}
}

// table is where columns are.
type table struct {
	place    map[string]int
	relative bool // a time was a number of seconds from the first job on
}

func (t *table) of(row []string, name string) string {
	if n, ok := t.place[name]; ok && n < len(row) {
		return strings.TrimSpace(row[n])
	}
	return ""
}

func (t *table) entry(row []string, start time.Time) (e entry, err error) {
	if e.created, err = t.time(t.of(row, "created_at"), start); err != nil {
		return e, fmt.Errorf("created_at %w", err)
	}
	if tag := t.of(row, "tag"); tag != "" {
		e.tags = strings.Fields(tag)
	}
	// A status is any word of any system; GitLab's own for what has not ended count.
	status := strings.ToLower(t.of(row, "status"))
	e.ended = !slices.Contains([]string{"created", "waiting_for_resource", "preparing", "pending", "running", "manual", "scheduled", "skipped"}, status)
	lasts := t.of(row, "duration")
	e.ran = lasts != ""
	if e.ran {
		if e.lasts, err = number(lasts); err != nil {
			return e, fmt.Errorf("duration %w", err)
		}
	}
	if queued := t.of(row, "queued"); queued != "" {
		if e.queued, err = number(queued); err != nil {
			return e, fmt.Errorf("queued %w", err)
		}
		e.hasQueued = true
	}
	e.started = e.created.Add(max(0, e.queued))
	return e, nil
}

func number(text string) (time.Duration, error) {
	s, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("is %q, which is no number of seconds", oneLine(text))
	}
	return seconds(s), nil
}

// epochs: numbers above are seconds since 1970, those below since the first job.
const epochs = 1e9

// anyMonday stands for an unknown start.
var anyMonday = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// time reads RFC 3339, or a number of seconds.
func (t *table) time(text string, start time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, nil
	}
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(s) || s < 0 || s > 100*epochs {
		return time.Time{}, fmt.Errorf("is %q, which is neither a time as 2026-01-31T12:00:00Z nor a number of seconds", oneLine(text))
	}
	if s >= epochs {
		whole, part := math.Modf(s)
		return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
	}
	t.relative = true
	if start.IsZero() {
		start = anyMonday
	}
	return start.Add(time.Duration(s * float64(time.Second))), nil
}
