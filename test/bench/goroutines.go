package bench

import (
	"bytes"
	"regexp"
	"runtime"
)

var bubbleOf = regexp.MustCompile(`synctest bubble \d+`)

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
