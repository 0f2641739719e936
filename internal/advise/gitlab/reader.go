package gitlab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Options say what to read. URL, Token, and Projects or Runner must be set.
type Options struct {
	URL      string // GitLab's address, as https://gitlab.example.com
	Token    string // of scope read_api
	Projects []string
	Runner   string
	Since    time.Time // older jobs are not asked for

	HTTP     *http.Client                                     // nil: one of its own
	CacheDir string                                           // empty: fleeting-plugin-azure in the user's cache directory; "-": none
	Sleep    func(ctx context.Context, d time.Duration) error // nil: sleeps
	Progress func(jobs int, oldest time.Time)                 // after each page; nil: nobody looks
	Now      func() time.Time                                 // nil: time.Now
}

// Reader is a stream of jobs, one JSON object a line. It asks for pages as it is read,
// from one goroutine.
type Reader struct {
	o       Options
	ctx     context.Context
	base    *url.URL
	lists   []*list // that are left
	buffer  bytes.Buffer
	jobs    int
	secrets *strings.Replacer
}

// Open checks the options. It asks GitLab nothing.
func Open(ctx context.Context, o Options) (*Reader, error) {
	base, err := url.Parse(strings.TrimSuffix(strings.TrimSuffix(o.URL, "/"), "/api/v4"))
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, errors.New("GitLab's address is as https://gitlab.example.com")
	}
	if base.Scheme == "http" && !loopback(base.Hostname()) {
		return nil, fmt.Errorf("%s is not encrypted, so that others could read the token; fix: https://", o.URL)
	}
	if o.Token == "" {
		return nil, errors.New("there is no token; fix: put one with the scope read_api into GITLAB_TOKEN, or into the file that --token-file names")
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token has characters that no token has; fix: the token alone, on one line")
	}
	o.HTTP = cmp.Or(o.HTTP, &http.Client{Timeout: time.Minute})
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	base.User = nil
	r := &Reader{o: o, ctx: ctx, base: base, secrets: strings.NewReplacer(o.Token, "…")}
	for _, project := range o.Projects {
		r.lists = append(r.lists, r.list("projects/"+url.PathEscape(project)+"/jobs"))
	}
	if o.Runner != "" {
		r.lists = append(r.lists, r.list("runners/"+url.PathEscape(o.Runner)+"/jobs"))
	}
	return r, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	for r.buffer.Len() == 0 {
		if len(r.lists) == 0 {
			return 0, io.EOF
		}
		done, err := r.lists[0].more(r)
		if err != nil {
			return 0, errors.New(r.secrets.Replace(err.Error()))
		}
		if done {
			r.lists = r.lists[1:]
		}
	}
	return r.buffer.Read(p)
}

// list is a list of jobs, newest first.
type list struct {
	what  string
	next  string // address of the next page
	fresh []job  // that were read now
	cache cached
	file  string // of the cache; empty: none
}

// job is what is kept of one: no names of people, projects or branches.
type job struct {
	ID            int64     `json:"id"`
	Status        string    `json:"status"`
	Stage         string    `json:"stage"`
	CreatedAt     time.Time `json:"created_at"`
	StartedAt     *string   `json:"started_at"`
	Duration      *float64  `json:"duration"`
	Queued        *float64  `json:"queued_duration,omitempty"`
	FailureReason string    `json:"failure_reason,omitempty"`
	TagList       []string  `json:"tag_list,omitempty"`
	Runner        *runner   `json:"runner,omitempty"`
}

type runner struct {
	ID          int64  `json:"id"`
	Description string `json:"description,omitempty"`
}

func (r *Reader) list(path string) *list {
	query := url.Values{"order_by": {"id"}, "per_page": {"100"}, "sort": {"desc"}}
	l := &list{what: path, next: r.base.JoinPath("api/v4", "/").String() + path + "?" + query.Encode() + keyset}
	dir := r.o.CacheDir
	if dir == "-" {
		return l
	}
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return l
		}
		dir = filepath.Join(base, "fleeting-plugin-azure")
	}
	l.file = filepath.Join(dir, fileName(l.next))
	l.cache = load(l.file, r.o.Since)
	return l
}

// more reads a page. It reports whether that was the last one.
func (l *list) more(r *Reader) (done bool, err error) {
	page, next, err := r.page(l.next)
	if err != nil {
		return false, fmt.Errorf("read %s of %s: %w", l.what, r.base.Host, err)
	}
	for _, one := range page {
		if one.ID <= l.cache.Last || !r.o.Since.IsZero() && one.CreatedAt.Before(r.o.Since.Add(-late)) {
			next = ""
			break
		}
		l.fresh = append(l.fresh, one)
		r.emit(one)
	}
	if r.o.Progress != nil && len(l.fresh) > 0 {
		r.o.Progress(r.jobs, l.fresh[len(l.fresh)-1].CreatedAt)
	}
	if l.next = next; next != "" {
		return false, nil
	}
	l.finish(r)
	return true, nil
}

// late is how long after its creation a job may be queued: those that are older than
// what is wanted are read for so long.
const late = 7 * 24 * time.Hour

func (r *Reader) emit(one job) {
	text, err := json.Marshal(one)
	if err != nil {
		return // it was JSON before
	}
	r.buffer.Write(append(text, '\n'))
	r.jobs++
}
