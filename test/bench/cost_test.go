package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

const (
	handshakes  = 20
	costUpdates = 5 // that are measured
)

// updateCosts is what an Update costs with 1,000 running instances.
func updateCosts(t *testing.T) (all []Cost) {
	t.Helper()
	for _, mode := range []string{modeUniform, modeFlexible} {
		naive, ours := measureUpdates(t, mode, pluginNaive), measureUpdates(t, mode, pluginOurs)
		for i, due := range []string{"list due", "list not due"} {
			all = append(all,
				Cost{"CPU of an Update, " + mode + ", " + due, duration(naive[i].cpu), duration(ours[i].cpu), ratio(float64(ours[i].cpu), float64(naive[i].cpu))},
				Cost{"allocations, " + mode + ", " + due, thousands(naive[i].allocations), thousands(ours[i].allocations), ratio(float64(ours[i].allocations), float64(naive[i].allocations))})
		}
	}
	return all
}

// measureUpdates measures an Update for which a list is due, and one 2 s later.
func measureUpdates(t *testing.T, mode, plugin string) (costs [2]used) {
	t.Helper()
	play(t, func() (Figures, error) {
		setting := Setting{Mode: mode, PageSize: pageSize, Sets: 1}
		sub, err := newSubscription(setting)
		if err != nil {
			return Figures{}, err
		}
		defer sub.end()
		r := &runner{sub: sub, set: setName(0), plugin: plugin, meter: &meter{next: &replay{next: sub.Transport()}, begun: time.Now()}}
		group, err := r.open(Setting{Mode: mode})
		if err != nil {
			return Figures{}, err
		}
		if err := sub.Raise(setName(0), maxInstances); err != nil {
			return Figures{}, err
		}
		time.Sleep(15 * time.Minute)
		_, err = group.Init(t.Context(), hclog.NewNullLogger(), launch.Login())
		if err != nil {
			return Figures{}, err
		}
		costs, err = alternate(t, group)
		return Figures{}, err
	})
	return costs
}

func alternate(t *testing.T, group provider.InstanceGroup) (costs [2]used, err error) {
	t.Helper()
	for n := range 2 + costUpdates { // the first fill the replay's memory and the plugin's
		for i, pause := range []time.Duration{10 * time.Minute, 2 * time.Second} {
			time.Sleep(pause)
			running := 0
			runtime.GC() // what is left of earlier work is none of this
			before := usage()
			err := group.Update(t.Context(), func(_ string, s provider.State) {
				if s == provider.StateRunning {
					running++
				}
			})
			spent := usage().since(before)
			if err != nil {
				return costs, err
			}
			require.Equal(t, maxInstances, running)
			if n >= 2 {
				costs[i].add(spent, costUpdates)
			}
		}
	}
	return costs, nil
}

// processCosts is what the plugin's process costs.
func processCosts(t *testing.T) []Cost {
	t.Helper()
	binary, err := os.Stat(launch.Binary(t, "fleeting-plugin-azure"))
	require.NoError(t, err)
	return []Cost{
		{"peak memory, Uniform", "–", peakMemory(t, modeUniform), "–"},
		{"peak memory, Flexible", "–", peakMemory(t, modeFlexible), "–"},
		{"handshake", "–", duration(handshake(t)), "–"},
		{"binary, stripped", "–", fmt.Sprintf("%.1f MB", float64(binary.Size())/1e6), "–"},
	}
}

// handshake is how long a plugin takes from its start until fleeting can call it.
func handshake(t *testing.T) time.Duration {
	t.Helper()
	p := &launch.Plugin{Log: &launch.Output{}, Dir: t.TempDir()}
	script := p.Script(t)
	var all []time.Duration
	for range handshakes {
		begun := time.Now()
		plugin, err := fleeting.RunPlugin(script, []byte("{}"), fleeting.WithPluginLogger(hclog.NewNullLogger()))
		require.NoError(t, err)
		all = append(all, time.Since(begun))
		plugin.Kill()
	}
	return percentile(all, 50)
}

// peakMemory is the peak resident memory of the plugin's process with 1,000 instances.
func peakMemory(t *testing.T, mode string) string {
	t.Helper()
	sim := launch.Simulator(t, armsim.Config{Seed: seed, PageSize: pageSize, NoMachines: true},
		armsim.ScaleSetSpec{Name: "ci", AdminPassword: password, OrchestrationMode: mode, Capacity: maxInstances})
	require.Eventually(t, func() bool { return sim.Stats().Running == maxInstances }, launch.Patience, launch.Tick)
	p := launch.Open(t, sim)
	defer p.Stop()
	ids := p.AwaitRunning(t, maxInstances)
	var wait sync.WaitGroup
	for chunk := range slices.Chunk(ids, maxInstances/20) {
		wait.Go(func() {
			for _, id := range chunk {
				_, _ = p.ConnectInfo(t.Context(), id) // some are refused within the limits of today
			}
		})
	}
	wait.Wait()
	for range 5 {
		_, err := p.States(t)
		require.NoError(t, err)
		time.Sleep(2 * time.Second)
	}
	return residentPeak(t, p)
}

// residentPeak is VmHWM where there is one.
func residentPeak(t *testing.T, p *launch.Plugin) string {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(p.Dir, "pid"))
	require.NoError(t, err)
	status, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/status")
	if err != nil {
		return "–" // not Linux
	}
	var kilobytes int
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(after, &kilobytes)
	require.NoError(t, err)
	return fmt.Sprintf("%d MiB", kilobytes/1024)
}
