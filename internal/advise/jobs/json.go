package jobs

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
)

// record is a job of GitLab's REST API, as far as it matters here.
type record struct {
	ID            int64      `json:"id"`
	Status        string     `json:"status"`
	Stage         string     `json:"stage"`
	CreatedAt     *time.Time `json:"created_at"`
	StartedAt     *time.Time `json:"started_at"`
	Duration      *float64   `json:"duration"`
	Queued        *float64   `json:"queued_duration"`
	FailureReason string     `json:"failure_reason"`
	TagList       []string   `json:"tag_list"`
	Runner        runnerOf   `json:"runner"`
	Pipeline      struct {
		ProjectID int64 `json:"project_id"`
	} `json:"pipeline"`
	Project struct {
		ID   int64  `json:"id"`
		Path string `json:"path_with_namespace"`
	} `json:"project"`

	// Of an error in the place of jobs.
	Message json.RawMessage `json:"message"`
	Error   json.RawMessage `json:"error"`
}

// runnerOf is the runner of a job. Lists of one runner's jobs do not name it, which is
// something else than null.
type runnerOf struct {
	null        bool
	ID          int64
	Description string
}

func (r *runnerOf) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		r.null = true
		return nil
	}
	var named struct {
		ID          int64  `json:"id"`
		Description string `json:"description"`
	}
	if err := json.Unmarshal(b, &named); err != nil {
		return err
	}
	r.ID, r.Description = named.ID, named.Description
	return nil
}

// readJSON reads arrays of jobs or jobs, one after another.
func readJSON(r io.Reader, f Filter) (*Load, error) {
	l, s := newLoad("JSON"), &source{r: r}
	for {
		first, err := s.next()
		if errors.Is(err, io.EOF) {
			return l, l.finish(f)
		}
		if err != nil {
			return nil, fmt.Errorf("it cannot be read: %w", err)
		}
		d := json.NewDecoder(s)
		if err := l.value(d, s, f, first == '['); err != nil {
			return nil, err
		}
		rest, _ := io.ReadAll(d.Buffered()) // of memory
		s.back = append(slices.Clone(rest), s.back...)
	}
}

// value reads an array, or objects up to the end.
func (l *Load) value(d *json.Decoder, s *source, f Filter, array bool) error {
	if array {
		_, _ = d.Token() // the bracket that was seen
	}
	for d.More() {
		s.left = recordLimit
		var one record
		if err := d.Decode(&one); err != nil {
			return l.malformed(err)
		}
		if err := one.check(); err != nil {
			return err
		}
		l.add(one.entry(), f)
	}
	if _, err := d.Token(); err != nil && (array || !errors.Is(err, io.EOF)) {
		return l.malformed(err)
	}
	return nil
}

// malformed words an error of the decoder.
func (l *Load) malformed(err error) error {
	if errors.Is(err, errRecordLimit) {
		return err
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("it is JSON, but not of jobs: %s is a %s; fix: give it the response of /projects/ID/jobs or /runners/ID/jobs", oneLine(cmp.Or(wrong.Field, "an element")), wrong.Value)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("it ends in the middle of a record, after %d jobs; fix: export it again", l.Records)
	}
	return fmt.Errorf("it is no JSON after %d jobs: %s", l.Records, oneLine(err.Error()))
}

// check reports that an object is no job.
func (r *record) check() error {
	for _, text := range []json.RawMessage{r.Message, r.Error} {
		if len(text) > 0 && r.Stage == "" {
			return fmt.Errorf("it is an error of GitLab and not jobs: %s; fix: look at the token (scope read_api, role Reporter or above) and the ID", trimmed(text))
		}
	}
	if r.Stage == "" || r.CreatedAt == nil || r.Status == "" {
		return errors.New("it is JSON, but not of jobs: an object has no stage, status or created_at; fix: give it the response of /projects/ID/jobs or /runners/ID/jobs")
	}
	return nil
}

// ended are the states that a job does not leave. Those before them have times of an
// attempt at most.
var ended = []string{"success", "failed", "canceled"}

func (r *record) entry() entry {
	e := entry{
		id: r.ID, created: *r.CreatedAt, tags: r.TagList, runner: r.Runner.Description,
		ran:   r.StartedAt != nil && r.Duration != nil && !r.Runner.null,
		ended: slices.Contains(ended, r.Status), stuck: r.FailureReason == "stuck_or_timeout_failure",
		project: r.Project.Path,
	}
	if r.Runner.ID != 0 {
		e.runnerID = strconv.FormatInt(r.Runner.ID, 10)
	}
	if id := max(r.Pipeline.ProjectID, r.Project.ID); id > 0 {
		e.projectID = strconv.FormatInt(id, 10)
	}
	if !e.ran {
		return e
	}
	e.started, e.lasts = *r.StartedAt, seconds(*r.Duration)
	if r.Queued != nil {
		e.queued, e.hasQueued = seconds(*r.Queued), true
	}
	return e
}

// secondsLimit is a year: no job takes longer.
const secondsLimit = 366 * 24 * 3600

// seconds makes a time of a number. What no job can have becomes negative, so that it is
// counted among what contradicts itself.
func seconds(s float64) time.Duration {
	if math.IsNaN(s) || s < 0 || s > secondsLimit {
		return -1
	}
	return time.Duration(s * float64(time.Second))
}
