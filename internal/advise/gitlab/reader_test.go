package gitlab

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const token = "glpat-secret"

var now = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

// server is GitLab with the jobs 1 to n of a project, one an hour, of which the newest
// wait.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	jobs   int
	waits  int // of the newest
	asked  []string
	header http.Header
	answer func(w http.ResponseWriter, r *http.Request) bool // first; reports whether it did
}

func newServer(t *testing.T, jobs int) *server {
	s := &server{jobs: jobs, header: http.Header{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.EscapedPath()+"?"+r.URL.RawQuery)
	if s.answer != nil && s.answer(w, r) {
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	q := r.URL.Query()
	last, page := s.jobs, 1
	if q.Get("cursor") != "" {
		last, _ = strconv.Atoi(q.Get("cursor"))
	}
	if q.Get("page") != "" {
		page, _ = strconv.Atoi(q.Get("page"))
		last = s.jobs - 100*(page-1)
	}
	var all []map[string]any
	for id := last; id > max(0, last-100); id-- {
		one := map[string]any{"id": id, "status": "success", "stage": "test", "created_at": now.Add(time.Duration(id-s.jobs) * time.Hour),
			"started_at": now, "duration": 7.5, "queued_duration": 1.5, "tag_list": []string{"azure"}, "runner": map[string]any{"id": 3, "ip_address": "192.0.2.1"}, "user": map[string]any{"name": "A Person"}}
		if id > s.jobs-s.waits {
			one["status"], one["duration"], one["runner"] = "pending", nil, nil
		}
		all = append(all, one)
	}
	w.Header().Set("Content-Type", "application/json")
	for key, values := range s.header {
		w.Header()[key] = values
	}
	if last > 100 && q.Get("pagination") == "keyset" {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?cursor=%d&pagination=keyset>; rel="next", <%s>; rel="first"`, s.URL, r.URL.EscapedPath(), last-100, s.URL))
	} else if last > 100 {
		w.Header().Set("X-Next-Page", strconv.Itoa(page+1))
	}
	_ = json.NewEncoder(w).Encode(all)
}

// read reads all, and returns the IDs and for how long it slept.
func read(t *testing.T, s *server, change func(*Options)) (ids []int, slept []time.Duration, err error) {
	t.Helper()
	o := Options{URL: s.URL, Token: token, Projects: []string{"group/project"}, CacheDir: "-", Now: func() time.Time { return now }}
	o.Sleep = func(_ context.Context, d time.Duration) error { slept = append(slept, d); return nil }
	if change != nil {
		change(&o)
	}
	r, err := Open(t.Context(), o)
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(r)
	for line := range strings.Lines(string(text)) {
		var one job
		require.NoError(t, json.Unmarshal([]byte(line), &one), line)
		ids = append(ids, int(one.ID))
	}
	return ids, slept, err
}

func TestPages(t *testing.T) {
	t.Parallel()
	s := newServer(t, 250)
	var seen []int
	ids, slept, err := read(t, s, func(o *Options) { o.Progress = func(n int, _ time.Time) { seen = append(seen, n) } })
	require.NoError(t, err)
	assert.Len(t, ids, 250)
	assert.Equal(t, []int{250, 1}, []int{ids[0], ids[249]})
	assert.Equal(t, []string{
		"/api/v4/projects/group%2Fproject/jobs?order_by=id&per_page=100&sort=desc&pagination=keyset",
		"/api/v4/projects/group%2Fproject/jobs?cursor=150&pagination=keyset", "/api/v4/projects/group%2Fproject/jobs?cursor=50&pagination=keyset",
	}, s.asked)
	assert.Equal(t, []int{100, 200, 250}, seen)
	assert.Empty(t, slept)

	ids, _, err = read(t, newServer(t, 3), func(o *Options) { o.Projects, o.Runner, o.URL = nil, "9", o.URL+"/api/v4/" })
	require.NoError(t, err)
	assert.Equal(t, []int{3, 2, 1}, ids)

	ids, _, err = read(t, newServer(t, 1000), func(o *Options) { o.Since = now.Add(-7*24*time.Hour - 10*time.Hour) })
	require.NoError(t, err)
	assert.Len(t, ids, 2*7*24+10+1, "and a week before, whose jobs may have been queued later")
}

// TestAnOlderServerNumbersItsPages: it refuses keyset paging for a list that it does not
// have it for.
func TestAnOlderServerNumbersItsPages(t *testing.T) {
	t.Parallel()
	s := newServer(t, 250)
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("pagination") == "" {
			return false
		}
		w.WriteHeader(http.StatusMethodNotAllowed)
		return true
	}
	ids, _, err := read(t, s, nil)
	require.NoError(t, err)
	assert.Len(t, ids, 250)
}

func TestLimitsAreObeyed(t *testing.T) {
	t.Parallel()
	s := newServer(t, 150)
	refused := 0
	s.answer = func(w http.ResponseWriter, _ *http.Request) bool {
		if refused++; refused > 2 {
			return false
		}
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	ids, slept, err := read(t, s, nil)
	require.NoError(t, err)
	assert.Len(t, ids, 150)
	assert.Equal(t, []time.Duration{17 * time.Second, 17 * time.Second}, slept)

	s = newServer(t, 150)
	s.header = http.Header{"Ratelimit-Remaining": {"0"}, "Ratelimit-Reset": {strconv.FormatInt(now.Add(40*time.Second).Unix(), 10)}}
	_, slept, err = read(t, s, nil)
	require.NoError(t, err)
	assert.Equal(t, []time.Duration{40 * time.Second}, slept, "before the second page, and not after it")

	s.answer = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true }
	_, slept, err = read(t, s, nil)
	require.ErrorContains(t, err, "502 Bad Gateway")
	assert.Equal(t, []time.Duration{1, 2, 4, 8, 16}, []time.Duration{slept[0] / time.Second, slept[1] / time.Second, slept[2] / time.Second, slept[3] / time.Second, slept[4] / time.Second})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for want, answer := range map[string]func(w http.ResponseWriter){
		"401 Unauthorized: the token is not known":      func(w http.ResponseWriter) { w.WriteHeader(http.StatusUnauthorized) },
		"403 Forbidden: the token may not read this":    func(w http.ResponseWriter) { w.WriteHeader(http.StatusForbidden) },
		"404 Not Found: there is no such project":       func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) },
		`it is "text/html; charset=utf-8" and not JSON`: func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>") },
		"it is no list of jobs": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"a":1}`)
		},
		"429 Too Many Requests, again and again": func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) },
		"it refers to another host for the next page": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Link", `<https://elsewhere.example.com/jobs>; rel="next"`)
			_, _ = io.WriteString(w, `[]`)
		},
	} {
		s := newServer(t, 1)
		s.answer = func(w http.ResponseWriter, _ *http.Request) bool { answer(w); return true }
		_, _, err := read(t, s, nil)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), token)
		assert.NotContains(t, err.Error(), "\n")
	}
}

func TestTheTokenDoesNotFollowARedirect(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header.Get("Authorization") }))
	defer elsewhere.Close()
	s := newServer(t, 1)
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
		return true
	}
	_, _, err := read(t, s, nil)
	require.Error(t, err)
	assert.Empty(t, <-got)
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*Options){
		"GitLab's address is as": func(o *Options) { o.URL = "gitlab" },
		"is not encrypted":       func(o *Options) { o.URL = "http://gitlab.example.com" },
		"there is no token":      func(o *Options) { o.Token = "" },
		"the token has":          func(o *Options) { o.Token = "a b" },
	} {
		_, _, err := read(t, newServer(t, 1), change)
		require.ErrorContains(t, err, want)
	}
}

// TestTheCacheSavesPages: a second run asks for what is new, and for what may have
// changed. Nothing of people is in the file.
func TestTheCacheSavesPages(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cache := func(o *Options) { o.CacheDir = dir }
	s := newServer(t, 350)
	s.waits = 5
	first, _, err := read(t, s, cache)
	require.NoError(t, err)
	require.Len(t, first, 350)
	require.Len(t, s.asked, 4)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	assert.NotContains(t, string(text), "Person")
	assert.NotContains(t, string(text), token)
	info, err := os.Stat(files[0])
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	assert.Contains(t, string(text), `"last":345`)

	s.jobs, s.waits, s.asked = 360, 0, nil
	second, _, err := read(t, s, cache)
	require.NoError(t, err)
	assert.Len(t, second, 360)
	assert.Len(t, s.asked, 1)
	for n, id := range second {
		assert.Equal(t, 360-n, id)
	}

	require.NoError(t, os.WriteFile(files[0], []byte("{"), 0o600))
	third, _, err := read(t, s, cache)
	require.NoError(t, err)
	assert.Len(t, third, 360, "a spoilt cache is read again")

	require.NoError(t, os.Remove(files[0]))
	since := func(d time.Duration) func(*Options) {
		return func(o *Options) { o.CacheDir, o.Since = dir, now.Add(-d) }
	}
	_, _, err = read(t, s, since(24*time.Hour))
	require.NoError(t, err)
	longer, _, err := read(t, s, since(48*time.Hour))
	require.NoError(t, err)
	assert.Len(t, longer, 2*24+7*24+1, "a cache that does not go back far enough is read again")
	s.asked = nil
	shorter, _, err := read(t, s, since(24*time.Hour))
	require.NoError(t, err)
	assert.Len(t, shorter, 24+7*24+1)
	assert.Len(t, s.asked, 1)
}
