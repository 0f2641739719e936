package bench

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/taskscaler"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	advised "gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

// exact are realistic times that do not vary: chance is not what is compared.
func exact(c *armsim.Config) {
	c.UseRealisticTimes()
	for _, one := range []*armsim.Duration{&c.Boot, &c.Suspension.Start, &c.Suspension.Deallocate, &c.Power, &c.Delete} {
		one.Spread = 0
	}
}

// simulated plays the jobs of bursts with the instance group that advise has in the place
// of the plugin and of Azure, whose times are the same.
func simulated(t *testing.T, b Bursts) sim.Figures {
	t.Helper()
	var azure armsim.Config
	exact(&azure)
	as := func(d armsim.Duration) sim.Duration { return sim.Duration{Median: d.Median, Spread: d.Spread} }
	s := sim.Setting{Seed: b.Seed, Fleet: sim.Fleet{
		MaxUseCount: 1, MaxInstances: maxInstances, WarmPool: b.WarmPool, CheckInterval: time.Second,
		Boot: as(azure.Boot), Resume: as(azure.Suspension.Start), Deletion: as(azure.Delete),
	}, Policies: []sim.Policy{{IdleCount: b.Policy.IdleCount, IdleTime: b.Policy.IdleTime, Preemptive: b.Policy.PreemptiveMode}}}
	planned, _ := b.plan()
	begin := time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	all := make([]advised.Job, len(planned))
	for n, j := range planned {
		all[n] = advised.Job{Arrives: begin.Add(j.arrives), Lasts: j.lasts}
	}
	var f sim.Figures
	synctest.Test(t, func(t *testing.T) {
		r, err := sim.Run(s, all)
		require.NoError(t, err)
		f = r.Figures(all, r.Start, r.Start.Add(1000*time.Hour))
	})
	return f
}

// TestAdviseAgreesWithThePlugin: what advise foretells is what the plugin does, with a
// warm pool and without.
func TestAdviseAgreesWithThePlugin(t *testing.T) {
	if raced {
		t.Skip("virtual time is slow under the race detector")
	}
	for name, change := range map[string]func(*Bursts){
		"nothing kept":                     func(*Bursts) {},
		"a warm pool":                      func(b *Bursts) { b.WarmPool = burstSize },
		"a warm pool smaller than a burst": func(b *Bursts) { b.WarmPool, b.Size = 2, 6 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := few(taskscaler.Schedule{})
			b.Count, b.Times = 30, exact
			change(&b)
			plugin, foretold := play(t, b.Play), simulated(t, b)
			t.Logf("wait %v, foretold %v; VM-hours %.2f, foretold %.2f", mean(plugin.Waits), foretold.Mean, plugin.Running.Hours(), foretold.VMHours)
			assert.InDelta(t, mean(plugin.Waits).Seconds(), foretold.Mean.Seconds(), 10)
			assert.InEpsilon(t, plugin.Running.Hours(), foretold.VMHours, 0.12)
		})
	}
}
