package bench

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

func TestMain(m *testing.M) { os.Exit(launch.MainAsReleased(m)) }

var (
	benchmarks = flag.Bool("benchmarks", false, "play the scenarios of the benchmarks, which takes minutes")
	selected   = flag.String("scenarios", "", "those to play, with commas between them; empty: all, and write the page")
)

const (
	costs = "costs" // selects the rows about the process
	page  = "../../docs/reference/performance.md"
)

// TestBench plays the scenarios, prints what it finds, and writes the page of it if
// it has played them all. It is for `make bench`.
func TestBench(t *testing.T) {
	if !*benchmarks {
		t.Skip("it takes minutes: make bench")
	}
	r := &Report{Date: time.Now().UTC().Format(time.DateOnly), Commit: commit(t)}
	if wanted(t, costs) {
		r.Costs = slices.Concat(updateCosts(t), processCosts(t))
	}
	// Collecting garbage less often saves a third of the time; costs are with Go's default.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	t.Run("scenarios", func(t *testing.T) {
		for _, s := range Scenarios() {
			if wanted(t, s.Name) {
				playAll(t, s, r)
			}
		}
	})
	fmt.Println(r.Tables())
	if *selected == "" && !t.Failed() {
		require.NoError(t, os.WriteFile(page, []byte(r.Page()), 0o644))
	}
}

func wanted(t *testing.T, name string) bool {
	t.Helper()
	if *selected == "" {
		return true
	}
	known := []string{costs}
	for _, s := range Scenarios() {
		known = append(known, s.Name)
	}
	all := strings.Split(*selected, ",")
	for _, one := range all {
		require.Contains(t, known, one, "there is no such scenario")
	}
	return slices.Contains(all, name)
}

func playAll(t *testing.T, s Scenario, r *Report) {
	t.Helper()
	for _, mode := range []string{modeUniform, modeFlexible} {
		for _, plugin := range []string{pluginNaive, pluginOurs} {
			t.Run(s.Name+"/"+mode+"/"+plugin, func(t *testing.T) {
				t.Parallel()
				begun := time.Now()
				f := play(t, func() (Figures, error) { return s.Play(mode, plugin) })
				r.put(place{s.Name, mode, plugin}, f)
				fmt.Printf("%s %s %s: %d requests, %d throttled; told after %s; waited %s; took %s\n", s.Name, mode, plugin,
					f.Requests, f.Throttled, duration(mean(f.Delays)), duration(mean(f.Waits)), duration(time.Since(begun)))
			})
		}
	}
}

// play plays a scenario in virtual time.
func play(t *testing.T, scenario func() (Figures, error)) (f Figures) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		f, err = scenario()
		require.NoError(t, err)
	})
	return f
}

// commit is the present one, and whether there are changes besides it.
func commit(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "git", "describe", "--always", "--dirty=, with uncommitted changes", "--exclude=*").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
