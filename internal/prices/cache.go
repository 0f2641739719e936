package prices

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// list is what is known of a size's prices in a region and a currency.
type list struct {
	mu     sync.Mutex // held while the API is read, so that it is read once
	known  cached
	failed time.Time // when a read failed last
	err    error     // what it failed with
}

// cached is the content of a file of the cache.
type cached struct {
	Read   time.Time `json:"read"`
	Offers offers    `json:"offers"`
}

func (e *Estimator) list(key string) *list {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lists[key]
	if l == nil {
		l = &list{}
		e.lists[key] = l
	}
	return l
}

// offers are the prices of a query's size and where they come from. With an error
// they are old ones, or none.
func (e *Estimator) offers(ctx context.Context, q Query) (cached, string, error) {
	l, now := e.list(q.key()), e.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known.Read.IsZero() {
		l.known = e.load(q.key(), now)
	}
	if !l.known.Read.IsZero() && now.Sub(l.known.Read) < fresh {
		return l.known, SourceCache, nil
	}
	if !l.failed.IsZero() && now.Sub(l.failed) < pause {
		return l.known, SourceCache, l.err
	}
	rows, err := e.read(ctx, q)
	if err != nil {
		if ctx.Err() == nil { // else the caller gave up, which says nothing of the API
			l.failed, l.err = now, err
		}
		return l.known, SourceCache, err
	}
	l.failed, l.err = time.Time{}, nil
	l.known = cached{now, choose(rows, q, now)}
	e.save(q.key(), l.known)
	return l.known, SourceAPI, nil
}

func (e *Estimator) file(key string) string { return filepath.Join(e.dir, "price_"+key+".json") }

// load reads the cache. What cannot be read, or is from the future, is as if it were
// not there.
func (e *Estimator) load(key string, now time.Time) (c cached) {
	if e.dir == "" {
		return c
	}
	f, err := os.Open(e.file(key))
	if err != nil {
		return c
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, 64<<10)).Decode(&c); err != nil || c.Read.After(now) {
		return cached{}
	}
	return c
}

// save writes the cache, so that a reader sees the old file or the new one. An
// error costs a read more, nothing else.
func (e *Estimator) save(key string, c cached) {
	if e.dir == "" || os.MkdirAll(e.dir, 0o700) != nil {
		return
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return
	}
	f, err := os.CreateTemp(e.dir, ".price_*") // with mode 0600
	if err != nil {
		return
	}
	_, writing := f.Write(raw)
	if f.Close() != nil || writing != nil || os.Rename(f.Name(), e.file(key)) != nil {
		_ = os.Remove(f.Name())
	}
}
