package armsim

import (
	"net/http"
	"sync"
)

// lifecycle ends what the simulator has started. Its methods may be called from
// any goroutine, but onClose.
type lifecycle struct {
	cleanup   []func() // undone last to first
	removeDir func()   // of a temporary state directory
	shutdown  sync.Once
	tasks     sync.WaitGroup
	closing   chan struct{} // closed when the end begins

	mu       sync.Mutex
	closed   bool
	requests sync.WaitGroup // under way; none begins once closed
}

func newLifecycle() *lifecycle { return &lifecycle{closing: make(chan struct{})} }

// onClose has f called when the simulator ends.
func (l *lifecycle) onClose(f func()) { l.cleanup = append(l.cleanup, f) }

// background runs f alongside the simulator; close waits for it.
func (l *lifecycle) background(f func()) { l.tasks.Go(f) }

// beginRequest counts a request in, so that close waits until end is called.
// Once closed it panics with http.ErrAbortHandler.
func (l *lifecycle) beginRequest() (end func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		panic(http.ErrAbortHandler)
	}
	l.requests.Add(1)
	return l.requests.Done
}

// close ends everything, once; last is called when no request and no task is
// left.
func (l *lifecycle) close(last func()) {
	l.shutdown.Do(func() {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		close(l.closing)
		for i := len(l.cleanup) - 1; i >= 0; i-- {
			l.cleanup[i]()
		}
		l.requests.Wait()
		l.tasks.Wait()
		last()
		if l.removeDir != nil {
			l.removeDir()
		}
	})
}
