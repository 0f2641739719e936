package bench

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTry(t *testing.T) {
	for _, mode := range []string{modeUniform, modeFlexible} {
		for _, plugin := range []string{pluginNaive, pluginOurs} {
			t.Run("fleet/"+mode+"/"+plugin, func(t *testing.T) {
				try(t, Fleet{Setting{mode, 50, 200 * time.Millisecond, 1, false}, 1000}.Play, plugin)
			})
			t.Run("hour/"+mode+"/"+plugin, func(t *testing.T) {
				try(t, Jobs{Setting{mode, 50, 200 * time.Millisecond, 1, false}, 100, time.Hour, 1}.Play, plugin)
			})
		}
	}
}

func try(t *testing.T, play func(string) (Figures, error), plugin string) {
	var f Figures
	begun := time.Now()
	synctest.Test(t, func(t *testing.T) {
		var err error
		f, err = play(plugin)
		require.NoError(t, err)
	})
	fmt.Println(t.Name(), "took", time.Since(begun))
	for class, c := range f.Classes {
		fmt.Println("   ", class, c.Requests, c.Throttled)
	}
	fmt.Printf("requests %d 429 %d late %d failures %d told %s p95 %s n %d connect %s max %s\n", f.Requests, f.Throttled, f.Late, f.Failures, mean(f.Delays), percentile(f.Delays, 95), len(f.Delays), mean(f.Connects), percentile(f.Connects, 100))
	fmt.Printf("jobs %d served %d lost %d wait %s %s %s created %d unneeded %d total %s done %v goroutines %v open %d\n", f.Jobs, f.Served, f.Lost, mean(f.Waits), percentile(f.Waits, 50), percentile(f.Waits, 95), f.Created, f.Unneeded, f.Total, f.Done, f.Goroutines, f.Open)
}
