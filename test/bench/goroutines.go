package bench

import (
	"bytes"
	"regexp"
	"runtime"
	"time"
)

var bubbleOf = regexp.MustCompile(`synctest bubble \d+`)

// goroutinesAtRest are the fewest of several moments: an update that is under way has its
// own.
func goroutinesAtRest() int {
	fewest := goroutines()
	for range 8 {
		time.Sleep(700 * time.Millisecond)
		fewest = min(fewest, goroutines())
	}
	return fewest
}

// goroutines is how many there are in this synctest bubble: other tests may run
// alongside.
func goroutines() int {
	own := make([]byte, 1<<10)
	bubble := bubbleOf.Find(own[:runtime.Stack(own, false)])
	if bubble == nil {
		return runtime.NumGoroutine()
	}
	all := make([]byte, 64<<20)
	all = all[:runtime.Stack(all, true)]
	count := 0
	for _, line := range bytes.Split(all, []byte("\n")) {
		if bytes.HasPrefix(line, []byte("goroutine ")) && bytes.Equal(bubbleOf.Find(line), bubble) {
			count++
		}
	}
	return count
}
