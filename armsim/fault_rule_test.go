package armsim_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

var refused = armsim.Effect{Error: &armsim.ErrorResponse{Status: 503}}

// hits sends n reads of a scale set, a second apart, and returns which failed.
func hits(t *testing.T, s *sim, set string, n int) string {
	t.Helper()
	var story strings.Builder
	for range n {
		mark := "."
		if s.get(t, set).status == 503 {
			mark = "x"
		}
		story.WriteString(mark)
		s.Advance(time.Second)
	}
	return story.String()
}

func TestWhenRulesApply(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault armsim.Fault
		want  string
	}{
		"always":            {armsim.Fault{}, "xxxxxx"},
		"wildcard":          {armsim.Fault{Operation: "VirtualMachineScaleSets_*"}, "xxxxxx"},
		"another operation": {armsim.Fault{Operation: vmList}, "......"},
		"object":            {armsim.Fault{Object: "C*"}, "xxxxxx"},
		"another object":    {armsim.Fault{Object: "other"}, "......"},
		"skip":              {armsim.Fault{Skip: 2}, "..xxxx"},
		"times":             {armsim.Fault{Times: 2}, "xx...."},
		"both":              {armsim.Fault{Skip: 1, Times: 2}, ".xx..."},
		"for":               {armsim.Fault{For: armsim.Span(3 * time.Second)}, "xxx..."},
		"certain":           {armsim.Fault{Probability: 1}, "xxxxxx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, set := hold(t, armsim.Config{}, 0)
			c.fault.Effect = refused
			s.add(t, c.fault)
			assert.Equal(t, c.want, hits(t, s, set, 6))
		})
	}
}

// TestTheFirstRuleCounts, and hides the request from those after it.
func TestTheFirstRuleCounts(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{Faults: []armsim.Fault{{Name: "one", Operation: setGet, Times: 1, Effect: refused}}}, 0)
	s.add(t, armsim.Fault{Name: "two", Operation: setGet, Effect: refused})
	hits(t, s, set, 3)
	states := s.Faults()
	assert.Equal(t, []any{"one", 3, 1}, []any{states[0].Name, states[0].Matched, states[0].Applied})
	assert.Equal(t, []any{"two", 2, 2}, []any{states[1].Name, states[1].Matched, states[1].Applied})
}

// TestDrawsReplay: by the seed, and whatever other rules there are.
func TestDrawsReplay(t *testing.T) {
	t.Parallel()
	play := func(seed uint64, more ...armsim.Fault) (string, []armsim.InstanceInfo) {
		s, set := hold(t, armsim.Config{Seed: seed, Boot: armsim.Duration{Median: boot, Spread: 1}}, 3)
		s.add(t, armsim.Fault{Operation: setGet, Probability: 0.5, Effect: refused})
		s.add(t, more...)
		story := hits(t, s, set, 40)
		s.setCapacity(t, set, 5)
		return story, sortedInstances(s)
	}
	one, instances := play(7)
	again, others := play(7, armsim.Fault{Operation: vmList, Probability: 0.5, Effect: refused}, armsim.Fault{Operation: setGet, Probability: 0.1, Effect: armsim.Effect{Omit: []string{"tags"}}})
	assert.Equal(t, one, again)
	assert.Equal(t, instances, others)
	different, _ := play(8)
	assert.NotEqual(t, one, different)
}

func TestImpossibleRules(t *testing.T) {
	t.Parallel()
	failure := &armsim.Failure{Code: "AllocationFailed"}
	for want, f := range map[string]armsim.Fault{
		"no effect":                         {},
		"error and cut":                     {Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 500}, Cut: "after"}},
		"must not be negative":              {Times: -1, Effect: refused},
		"probability 2":                     {Probability: 2, Effect: refused},
		"size and zone are for instances":   {Zone: "1", Effect: refused},
		"capacityAbove must not be":         {CapacityAbove: -1, Effect: refused},
		"capacityAbove is for requests":     {CapacityAbove: 1, Effect: armsim.Effect{Stuck: true}},
		"error can do nothing to an operat": {Operation: setGet, CapacityAbove: 1, Effect: refused},
		"freshETag needs stale":             {Effect: armsim.Effect{FreshETag: true, Cut: "after"}},
		`operation "VirtualMachine_Get"`:    {Operation: "VirtualMachine_Get", Effect: refused},
		"failOperation can do nothing":      {Operation: setGet, Effect: armsim.Effect{FailOperation: failure}},
		"stale can do nothing":              {Operation: setPatch, Effect: armsim.Effect{Stale: 1}},
		"list can do nothing":               {Operation: setGet, Effect: armsim.Effect{List: "empty"}},
		"absent can do nothing":             {Operation: "instance.delete", Effect: armsim.Effect{Absent: failure}},
		"failRunning can do nothing":        {Operation: "instance.start", Effect: armsim.Effect{FailRunning: failure}},
		"fail can do nothing":               {Operation: vmList, Effect: armsim.Effect{Fail: failure}},
		"error can do nothing":              {Operation: "instance.create", Effect: refused},
		"omit can do nothing":               {Operation: "Token", Effect: armsim.Effect{Omit: []string{"x"}}},
		"status 200":                        {Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 200}}},
		"status 99":                         {Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 99, Body: "x"}}},
		`cut "now"`:                         {Effect: armsim.Effect{Cut: "now"}},
		`list "odder"`:                      {Effect: armsim.Effect{List: "odder"}},
		"a path is empty":                   {Effect: armsim.Effect{Omit: []string{""}}},
		"needs a code":                      {Effect: armsim.Effect{Fail: &armsim.Failure{}}},
		"delay, stale and slow must not be": {Effect: armsim.Effect{Slow: -1}},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			_, err := armsim.New(armsim.Config{InProcess: true, Faults: []armsim.Fault{{Name: "good", Effect: refused}, f}})
			require.ErrorContains(t, err, want)
			assert.ErrorContains(t, err, "start armsim: add fault 2: ")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestReadFaults(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		"unknown field":          `{"faults":[{"wen":1}]}`,
		"add fault 1":            `{"faults":[{}]}`,
		"add event 1":            `{"events":[{"do":"hug"}]}`,
		"invalid duration":       `{"faults":[{"delay":"soon"}]}`,
		"cannot unmarshal":       `{"faults":[{"delay":3}]}`,
		"more than one":          `{} {}`,
		"unexpected end of JSON": `{"faults":`,
	} {
		_, _, err := armsim.ReadFaults(strings.NewReader(text))
		if want == "unexpected end of JSON" {
			want = "unexpected EOF"
		}
		assert.ErrorContains(t, err, want)
	}
}

// TestTheReferencesExample is read, and every rule of it is possible.
func TestTheReferencesExample(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/reference/armsim.md")
	require.NoError(t, err)
	_, example, _ := strings.Cut(string(page), "```json\n")
	example, _, _ = strings.Cut(example, "```")
	faults, events, err := armsim.ReadFaults(strings.NewReader(example))
	require.NoError(t, err)
	assert.NotEmpty(t, faults)
	assert.NotEmpty(t, events)
	s, err := armsim.New(armsim.Config{InProcess: true, Faults: faults, Events: events})
	require.NoError(t, err)
	s.Close()
}
