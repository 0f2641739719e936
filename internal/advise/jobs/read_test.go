package jobs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// summary is a load in one line, for golden tests.
func summary(l *Load) string {
	text := fmt.Sprintf("%s: %d records, %d repeated, %d unselected, %d never ran (%d stuck), %d backwards, %d without queue, relative %v",
		l.Format, l.Records, l.Repeated, l.Unselected, l.NeverRan, l.Stuck, l.Backwards, l.NoQueue, l.Relative)
	for n, j := range l.Jobs {
		if n == 3 {
			return text + fmt.Sprintf("; … %d jobs", len(l.Jobs))
		}
		text += fmt.Sprintf("; %s %s", j.Arrives.UTC().Format("2006-01-02T15:04:05.000"), j.Lasts.Round(time.Millisecond))
	}
	return text
}

func read(t *testing.T, path string, f Filter) (*Load, error) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	return Read(file, f)
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file   string
		filter Filter
		want   string
	}{
		{"pages.json", Filter{}, "JSON: 7 records, 1 repeated, 0 unselected, 3 never ran (1 stuck), 1 backwards, 0 without queue, relative false; " +
			"2026-03-02T07:58:58.500 5m0s; 2026-03-02T08:00:01.300 12.2s; 2026-03-02T08:30:00.000 5m0s"},
		{"pages.json", Filter{Tags: []string{"windows"}}, "JSON: 7 records, 1 repeated, 6 unselected, 0 never ran (0 stuck), 0 backwards, 0 without queue, relative false; 2026-03-02T07:58:58.500 5m0s"},
		{"pages.json", Filter{Runners: []string{"azure-1"}, Since: time.Date(2026, 3, 2, 8, 1, 0, 0, time.UTC)}, "JSON: 7 records, 1 repeated, 5 unselected, 1 never ran (0 stuck), 0 backwards, 0 without queue, relative false; 2026-03-02T08:30:00.000 5m0s"},
		{"lines.jsonl", Filter{Projects: []string{"7"}}, "JSON: 4 records, 0 repeated, 0 unselected, 2 never ran (1 stuck), 0 backwards, 0 without queue, relative false; " +
			"2026-03-02T08:00:01.300 12.2s; 2026-03-02T08:30:00.000 5m0s"},
		{"one.json", Filter{}, "JSON: 1 records, 0 repeated, 0 unselected, 0 never ran (0 stuck), 0 backwards, 0 without queue, relative false; 2026-03-02T08:30:00.000 5m0s"},
		{"runner.json", Filter{Projects: []string{"group/project-1"}}, "JSON: 2 records, 0 repeated, 0 unselected, 0 never ran (0 stuck), 0 backwards, 0 without queue, relative false; " +
			"2026-03-02T08:10:59.500 5m0s; 2026-03-02T08:11:59.500 5m0s"},
		{"old-server.json", Filter{}, "JSON: 2 records, 0 repeated, 0 unselected, 1 never ran (0 stuck), 0 backwards, 1 without queue, relative false; 2026-03-02T08:30:10.500 5m0s"},
		{"trace.csv", Filter{Tags: []string{"linux"}}, "CSV: 6 records, 0 repeated, 1 unselected, 1 never ran (0 stuck), 0 backwards, 1 without queue, relative true; " +
			"2024-01-01T00:00:00.000 15m0.5s; 2024-01-01T00:00:30.000 10s; 2024-01-01T00:01:00.000 30s; … 4 jobs"},
		{"trace.csv", Filter{Start: time.Date(2025, 9, 4, 17, 0, 0, 0, time.UTC), Tags: []string{"macos"}}, "CSV: 6 records, 0 repeated, 5 unselected, 0 never ran (0 stuck), 0 backwards, 0 without queue, relative false; 2025-09-04T17:00:00.000 2m24s"},
		{"times.csv", Filter{}, "CSV: 2 records, 0 repeated, 0 unselected, 0 never ran (0 stuck), 0 backwards, 2 without queue, relative false; 2026-03-02T07:00:00.000 30s; 2026-03-02T07:01:40.000 31.5s"},
	} {
		l, err := read(t, filepath.Join("testdata", c.file), c.filter)
		require.NoError(t, err, c.file)
		assert.Equal(t, c.want, summary(l), c.file)
	}
}

// TestRecordedJobs reads the recorded records in the directory that ADVISE_SHARED names,
// which are not part of this project.
func TestRecordedJobs(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("ADVISE_SHARED")
	if dir == "" {
		t.Skip("ADVISE_SHARED names no directory with gitlab-jobs and traces")
	}
	want := map[string]string{
		"job.ghc.retried-pending.json":        "error: none of the 1 jobs ever ran, so that nothing is known of how long they take; fix: wait until some have run",
		"job.ghc.runner-system-failure.json":  "JSON: 1 records, 0 repeated, 0 unselected, 0 never ran (0 stuck), 0 backwards, 0 without queue, relative false; 2023-08-28T20:04:06.651 12.225s",
		"job.ghc.windows-2h.json":             "JSON: 1 records, 0 repeated, 0 unselected, 0 never ran (0 stuck), 0 backwards, 0 without queue, relative false; 2023-07-07T15:29:30.595 2h1m20.792s",
		"runners-jobs.client-go-fixture.json": "JSON: 1 records, 0 repeated, 0 unselected, 0 never ran (0 stuck), 0 backwards, 0 without queue, relative false; 2021-10-22T11:59:31.124 2m51.541s",
		"projects-jobs.page1.gitlab-14.json": "JSON: 75 records, 0 repeated, 0 unselected, 46 never ran (0 stuck), 0 backwards, 29 without queue, relative false; " +
			"2022-07-25T14:26:02.616 2.864s; 2022-07-25T14:47:12.876 1.419s; 2022-07-25T14:53:56.227 1.683s; … 29 jobs",
	}
	files, err := filepath.Glob(filepath.Join(dir, "gitlab-jobs", "*.json"))
	require.NoError(t, err)
	require.Len(t, files, len(want))
	for _, file := range files {
		l, err := read(t, file, Filter{})
		got := ""
		if err != nil {
			got = "error: " + err.Error()
		} else {
			got = summary(l)
		}
		assert.Equal(t, want[filepath.Base(file)], got, file)
	}
	l, err := read(t, filepath.Join(dir, "traces", "bitcoin-core-2025.csv"), Filter{Tags: []string{"linux"}, Until: anyMonday.AddDate(0, 0, 42)})
	require.NoError(t, err)
	assert.Equal(t, []int{13159, 82}, []int{len(l.Jobs), l.Backwards})
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"empty":       {" \n", "it is empty; fix: name a file with jobs"},
		"HTML":        {"\n<!DOCTYPE html><html>Sign in", "it is an HTML page and not JSON"},
		"text":        {"glab: command not found", `it is neither JSON nor CSV with a column created_at; its first line is "glab: command not found"`},
		"no JSON":     {"[{]", "it is no JSON after 0 jobs"},
		"cut off":     {`[{"id":1,"stage":"a","status":"success","created_at":"2026-01-01T00:00:00Z"},{"id`, "it ends in the middle of a record, after 1 jobs"},
		"cut array":   {`[`, "it ends in the middle of a record, after 0 jobs"},
		"no jobs":     {"[]", "there are no jobs in it"},
		"pipelines":   {`[{"id":1,"iid":2,"status":"success","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}]`, "not of jobs: an object has no stage"},
		"other JSON":  {`[1,2]`, "it is JSON, but not of jobs: an element is a number"},
		"other types": {`{"id":"x","stage":"a"}`, "it is JSON, but not of jobs: id is a string"},
		"token":       {`{"message":"401 Unauthorized"}`, `it is an error of GitLab and not jobs: "401 Unauthorized"; fix: look at the token`},
		"rights":      {`{"error":"insufficient_scope","error_description":"The request requires higher privileges"}`, `"insufficient_scope"; fix: look at the token`},
		"no header":   {"created_at,queued\n1,2\n", "with a column duration"},
		"bad number":  {"created_at,duration\n1,long\n", `line 2: duration is "long", which is no number of seconds`},
		"bad time":    {"created_at,duration\nyesterday,7\n", `line 2: created_at is "yesterday", which is neither`},
		"negative":    {"created_at,duration\n1,-7\n", "the times of 1 of its 1 jobs run backwards"},
		"quote":       {"created_at,duration\n\"1,7\n", "it is no CSV"},
		"endless":     {`[{"id":` + strings.Repeat("1", 2*recordLimit), "a record of more than 4 MB is no job"},
		"never ran":   {"created_at,duration\n1,\n", "none of the 1 jobs ever ran"},
		"backwards":   {`[{"id":1,"stage":"a","status":"success","created_at":"2026-01-01T00:00:00Z","started_at":"2025-01-01T00:00:00Z","duration":1,"queued_duration":1}]`, "run backwards"},
	} {
		_, err := Read(strings.NewReader(c.text), Filter{})
		require.ErrorContains(t, err, c.want, name)
		assert.NotContains(t, err.Error(), "\n", name)
	}
}

func TestNoJobWithTheTag(t *testing.T) {
	t.Parallel()
	_, err := read(t, "testdata/pages.json", Filter{Tags: []string{"gpu"}})
	require.EqualError(t, err, `none of its 7 jobs is selected with --tag gpu; the tags in it: "azure" (6), "linux" (6), "windows" (1)`)
	_, err = read(t, "testdata/old-server.json", Filter{Tags: []string{"gpu"}})
	require.ErrorContains(t, err, "GitLab wrote no tag_list")
	_, err = read(t, "testdata/one.json", Filter{Runners: []string{"99"}})
	require.ErrorContains(t, err, "is selected by --runner, --project, --since and --until")
}

// million are the jobs of a year, in pages of 100 as glab prints them.
type million struct {
	left int
	text []byte
	most uint64 // bytes that the collector has found in use while they were read
}

func (m *million) Read(p []byte) (int, error) {
	if len(m.text) == 0 {
		if m.left == 0 {
			return 0, io.EOF
		}
		live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(live)
		m.most = max(m.most, live[0].Value.Uint64())
		var b strings.Builder
		b.WriteString("[")
		for n := range 100 {
			if n > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, `{"id":%d,"status":"success","stage":"test","created_at":"2026-01-01T00:00:00Z","started_at":"2026-01-01T00:00:09Z","duration":%d,"queued_duration":1.5,"runner":{"id":1},"tag_list":["linux"]}`, m.left, n)
			m.left--
		}
		b.WriteString("]")
		m.text = []byte(b.String())
	}
	n := copy(p, m.text)
	m.text = m.text[n:]
	return n, nil
}

// TestMemoryIsBounded reads a million jobs where ADVISE_SHARED is set, and fewer elsewhere:
// their text is 200 bytes each, and what is kept of them is less.
func TestMemoryIsBounded(t *testing.T) {
	count := 30_000
	if os.Getenv("ADVISE_SHARED") != "" {
		count = 1_000_000
	}
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // it looks often
	runtime.GC()
	m := &million{left: count}
	l, err := Read(m, Filter{Tags: []string{"linux"}})
	require.NoError(t, err)
	assert.Len(t, l.Jobs, count)
	t.Logf("%d MiB for %d jobs", m.most>>20, count)
	assert.Less(t, m.most, uint64(5<<20+120*count))
	assert.Greater(t, m.most, uint64(30*count), "the collector has looked")
}

func check(t *testing.T, text []byte) {
	l, err := Read(strings.NewReader(string(text)), Filter{})
	if err != nil {
		assert.NotContains(t, err.Error(), "\n")
		return
	}
	assert.Equal(t, l.Records, l.NeverRan+l.Backwards+l.Unselected+len(l.Jobs))
	for n, j := range l.Jobs {
		assert.GreaterOrEqual(t, j.Lasts, time.Duration(0))
		if n > 0 {
			assert.False(t, j.Arrives.Before(l.Jobs[n-1].Arrives), "they are in order")
		}
	}
}

func seed(f *testing.F, pattern string) {
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(text)
	}
}

func FuzzJSON(f *testing.F) {
	seed(f, "*.json*")
	f.Add([]byte(`[]{"message":"401"}[{}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		check(t, append([]byte("["), text...))
		check(t, append([]byte("{"), text...))
	})
}

func FuzzCSV(f *testing.F) {
	seed(f, "*.csv")
	f.Add([]byte("created_at,duration\n1e300,1e300\n"))
	f.Fuzz(func(t *testing.T, text []byte) { check(t, text) })
}
