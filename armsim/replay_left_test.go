package armsim

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// leftOut are exchanges of a recording that no table has, on purpose.
type leftOut struct {
	recording string
	exchanges []string // their index and method, or what is said of the whole recording
	reason    string
}

const (
	otherService = "of a provider that is not simulated"
	noTraffic    = "no traffic, but shapes out of documentation and issues"
)

// replayLeftOut are all of them.
var replayLeftOut = []leftOut{
	{"04", []string{"2 GET"}, "a poll of what was made before the recording"},
	{"16", []string{"no exchanges"}, noTraffic},
	{"23", []string{"0 GET"}, "polls of a hibernation whose request was not recorded"},
	{"27", []string{"no exchanges"}, noTraffic},
	{"28", []string{"0 POST"}, "placement scores are not simulated"},
	{"33", []string{"9 GET"}, "an image of an extension"},
	{"38", []string{"0 DELETE", "0 PUT", "1 PUT", "6 PUT", "11 PUT", "3 PUT"}, otherService},
	{"38", []string{"1 GET"}, "a policy whose name has a slash, which no path of a table can show"},
	{"38", []string{"64 GET", "72 GET"}, "polls of failed operations on extensions, whose requests were not recorded"},
	{"39", []string{"0 GET"}, "prices are not of Resource Manager"},
	{"40", []string{"no exchanges"}, noTraffic},
}

// TestReplayLeavesOutWithAReason looks at what of the recordings in RECORDINGS no table
// has. It says nothing of recordings that it does not know.
func TestReplayLeavesOutWithAReason(t *testing.T) {
	dir := os.Getenv("RECORDINGS")
	if dir == "" {
		t.Skip("RECORDINGS names no directory")
	}
	_, left := derived(t, dir)
	for _, what := range left {
		name, exchange, _ := strings.Cut(what, ": ")
		if !hasReason(name[:2], exchange) {
			t.Errorf("left out without a reason: %s", what)
		}
	}
}

func hasReason(number, exchange string) bool {
	known := func(one leftOut) bool { return one.recording == number }
	return !slices.ContainsFunc(replayLeftOut, known) ||
		slices.ContainsFunc(replayLeftOut, func(one leftOut) bool { return known(one) && slices.Contains(one.exchanges, exchange) })
}

// derived makes the table of recordings of all families, and what it leaves out.
func derived(t *testing.T, dir string) (recordings.Table, []string) {
	all, err := recordings.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return recordings.DeriveOf(all, func(path string) bool { return recordings.ScaleSets(path) || recordings.Setup(path) })
}

// TestReplayDeploys what later exchanges are about: the harness does not make it.
func TestReplayDeploys(t *testing.T) {
	made := map[string][]string{}
	for _, r := range committedTable(t).Recordings {
		for _, path := range slices.Sorted(maps.Values(deployedBy(r))) {
			made[r.Name[:2]] = append(made[r.Name[:2]], nameIn(path))
			assert.NotContains(t, presentSets(r), path)
		}
	}
	assert.Equal(t, map[string][]string{
		"21": {"{scaleSet:2}", "{scaleSet}"}, "25": {"{scaleSet:2}", "{scaleSet}"}, "26": {replayName}, "34": {"{machine}"},
	}, made)
}
