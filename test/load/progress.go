package load

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// Progress prints lines with their time. Its methods may be called from any
// goroutine.
type Progress struct {
	out    io.Writer
	prefix string
	began  time.Time
	mu     sync.Mutex
}

// NewProgress begins now. Each line has the prefix after its time.
func NewProgress(out io.Writer, prefix string) *Progress {
	return &Progress{out: out, prefix: prefix, began: time.Now()}
}

// Printf prints a line with the time of day, as logs have it, and the seconds
// since the start.
func (p *Progress) Printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, "%s %4.0fs  %s%s\n", time.Now().UTC().Format("15:04:05.000"), p.Elapsed().Seconds(), p.prefix, fmt.Sprintf(format, args...))
}

// Elapsed is the time since the start.
func (p *Progress) Elapsed() time.Duration { return time.Since(p.began) }

// Until waits for a time after the start. It reports false if ctx ends before.
func (p *Progress) Until(ctx context.Context, at time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(at - p.Elapsed()):
		return true
	}
}
