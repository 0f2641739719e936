package bench

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// raced is whether the race detector is on.
var raced bool

// TestRequestBounds keeps a change from costing requests unnoticed. A bound is a
// tenth more than what it takes today, which is in the comment: tighten it with what
// takes fewer.
func TestRequestBounds(t *testing.T) {
	if raced {
		t.Skip("it counts requests, which the race detector makes slow; it runs without the race detector")
	}
	t.Parallel()
	small := Setting{PageSize: pageSize, Latency: latency, Sets: 1}
	hundred, thousand := fleet(small, 100), fleet(small, 1000)
	tenMinutes := jobs(Jobs{Setting: small, PerMinute: 30, Length: 10 * time.Minute, MaxUse: 1})
	for _, c := range []struct {
		name  string
		mode  string
		play  func(mode, plugin string) (Figures, error)
		bound int
	}{
		{"0 to 100 to 0", modeUniform, hundred, 86},         // 78
		{"0 to 100 to 0", modeFlexible, hundred, 206},       // 187
		{"0 to 1000 to 0", modeUniform, thousand, 120},      // 104
		{"0 to 1000 to 0", modeFlexible, thousand, 470},     // 422
		{"30 jobs a minute", modeUniform, tenMinutes, 600},  // 440 to 510
		{"30 jobs a minute", modeFlexible, tenMinutes, 520}, // 468
	} {
		t.Run(c.name+"/"+c.mode, func(t *testing.T) {
			t.Parallel()
			f := play(t, func() (Figures, error) { return c.play(c.mode, pluginOurs) })
			t.Logf("%d requests: %v; told after %s; waited %s", f.Requests, f.Classes, mean(f.Delays), mean(f.Waits))
			assert.LessOrEqual(t, f.Requests, c.bound)
			assert.Zero(t, f.Throttled)
			assert.Zero(t, f.Failures)
			assert.Zero(t, f.Lost)
			assert.Zero(t, f.Open, "connections left open")
			assert.Equal(t, f.Goroutines[0], f.Goroutines[1])
			assert.True(t, f.Done)
		})
	}
}
