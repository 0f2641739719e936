package gitlab

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// cached is the content of a file of the cache.
type cached struct {
	Since time.Time `json:"since"` // what is older was not asked for
	Last  int64     `json:"last"`  // ID up to which jobs do not change any more
	Jobs  []job     `json:"jobs"`  // newest first
}

// fileName names the cache of a list. It is not readable, as an address has no form that
// suits all file systems.
func fileName(address string) string {
	sum := sha256.Sum256([]byte(address))
	return "jobs_" + hex.EncodeToString(sum[:12]) + ".json"
}

// load reads a cache. What cannot be read, or does not go back to since, is as if it were
// not there.
func load(file string, since time.Time) (c cached) {
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, &c) != nil || since.Before(c.Since) {
		return cached{Since: since}
	}
	return c
}

// finish adds what is in the cache, and writes that again with what was read.
func (l *list) finish(r *Reader) {
	for _, one := range l.cache.Jobs {
		if r.o.Since.IsZero() || !one.CreatedAt.Before(r.o.Since.Add(-late)) {
			r.emit(one)
		}
	}
	if l.file == "" {
		return
	}
	all := append(l.fresh, l.cache.Jobs...)
	last := l.cache.Last
	for _, one := range slices.Backward(all) {
		if one.ID > last && !l.settled(r, one) {
			break
		}
		last = max(last, one.ID)
	}
	kept := slices.DeleteFunc(all, func(one job) bool { return one.ID > last })
	save(l.file, cached{l.cache.Since, last, kept})
}

// ended are the states that a job does not leave.
var ended = []string{"success", "failed", "canceled"}

// settled reports whether a job is not expected to change. Manual ones may stay for ever
// as they are; after a while nobody waits for them.
func (l *list) settled(r *Reader, one job) bool {
	return slices.Contains(ended, one.Status) || r.o.Now().Sub(one.CreatedAt) > 2*late
}

// save writes the cache, so that a reader sees the old file or the new one. An error
// costs a read more, nothing else.
func save(file string, c cached) {
	text, err := json.Marshal(c)
	if err != nil || os.MkdirAll(filepath.Dir(file), 0o700) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".jobs_*") // with mode 0600
	if err != nil {
		return
	}
	_, writing := f.Write(text)
	if f.Close() != nil || writing != nil || os.Rename(f.Name(), file) != nil {
		_ = os.Remove(f.Name())
	}
}
