package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

var tenMinutes = options{Options: load.Options{Seed: 7, Mode: "Uniform", Spot: "Delete"}, duration: 10 * time.Minute}

func TestPlanIsOfTheSeed(t *testing.T) {
	other := tenMinutes
	other.Seed++
	assert.Equal(t, planActs(tenMinutes), planActs(tenMinutes))
	assert.NotEqual(t, planActs(tenMinutes), planActs(other))
	assert.Equal(t, planJobs(tenMinutes), planJobs(tenMinutes))
	assert.NotEqual(t, planJobs(tenMinutes), planJobs(other))
	assert.Equal(t, parallelWrites(7), parallelWrites(7))
}

func TestLongerPlanBeginsLikeAShortOne(t *testing.T) {
	short := tenMinutes
	short.duration = 5 * time.Minute
	acts, jobs := planActs(short), planJobs(short)
	assert.Equal(t, acts, planActs(tenMinutes)[:len(acts)])
	assert.Equal(t, jobs, planJobs(tenMinutes)[:len(jobs)])
}

// TestPlanIsPossible has armsim check every rule and event of many seeds.
func TestPlanIsPossible(t *testing.T) {
	for seed := range uint64(40) {
		o := tenMinutes
		o.Seed = seed
		if seed%2 == 1 {
			o.Mode, o.Spot = "Flexible", ""
		}
		var file struct {
			Faults []armsim.Fault `json:"faults"`
			Events []armsim.Event `json:"events"`
		}
		kills, last := 0, time.Duration(0)
		for _, a := range planActs(o) {
			require.GreaterOrEqual(t, a.at, last)
			require.Less(t, a.at, o.duration)
			last = a.at
			require.False(t, a.strike == "evict" && o.Spot == "", "only Spot instances are evicted")
			if a.killPlugin {
				kills++
			}
			if a.fault != nil {
				require.Positive(t, a.fault.For, "it must end: %s", a.name)
				require.LessOrEqual(t, time.Duration(a.fault.For), 30*time.Second, a.name)
				file.Faults = append(file.Faults, *a.fault)
			}
			file.Events = append(file.Events, a.events...)
		}
		text, err := json.Marshal(file)
		require.NoError(t, err)
		_, _, err = armsim.ReadFaults(strings.NewReader(string(text)))
		require.NoError(t, err, "seed %d", seed)
		assert.Greater(t, len(file.Faults), 15)
		assert.Greater(t, kills, 6)
	}
}

// TestEveryKindComes: the deck is dealt to its end in ten minutes.
func TestEveryKindComes(t *testing.T) {
	dealt := map[string]bool{}
	for _, a := range planActs(tenMinutes) {
		dealt[a.name] = true
	}
	for _, k := range kinds {
		assert.True(t, dealt[k.name], k.name)
	}
}
