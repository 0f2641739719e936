package armsim

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// replayTables hold what is kept of recordings, of scale sets and of what is set
// up around them; "make recordings" compares them with the recordings themselves,
// which are no part of this module.
var replayTables = []string{"testdata/exchanges.json", "testdata/exchanges-setup.json"}

// TestReplayRecordings sends recorded exchanges to the simulator and looks for
// all that was recorded in its responses. RECORDINGS names another directory of
// recordings to take instead of the table.
func TestReplayRecordings(t *testing.T) {
	table, committed := replayedTable(t)
	played, needed := 0, map[string]bool{}
	for _, polite := range []bool{true, false} {
		for _, r := range table.Recordings {
			t.Run(fmt.Sprintf("polite=%t/%s", polite, r.Name), func(t *testing.T) {
				played += replay(t, Config{Polite: polite}, r, needed)
			})
		}
	}
	if committed && played == 2*countExchanges(table) {
		for _, o := range replayOmissions {
			assert.True(t, needed[o.String()], "omission %s is no longer needed: remove it", o)
		}
	}
}

// replay plays a recording and returns how many exchanges it played.
func replay(t *testing.T, c Config, r recordings.Summary, needed map[string]bool) int {
	p := newReplayer(t, c, r)
	for i, x := range r.Exchanges {
		got := p.play(i)
		t.Run(fmt.Sprintf("%d %s", x.Index, x.Method), func(t *testing.T) {
			for _, lack := range compareReplay(x, got) {
				if o, ok := omissionOf(replayOmissions, x, lack); ok {
					needed[o.String()] = true
					continue
				}
				t.Errorf("%s %s: %s", x.Method, x.Path, lack)
			}
		})
	}
	return len(r.Exchanges)
}

func countExchanges(table recordings.Table) int {
	n := 0
	for _, r := range table.Recordings {
		n += len(r.Exchanges)
	}
	return n
}

func replayedTable(t *testing.T) (table recordings.Table, committed bool) {
	if dir := os.Getenv("RECORDINGS"); dir != "" {
		table, left := derived(t, dir)
		t.Logf("left out: %s", left)
		return table, false
	}
	return committedTable(t), true
}

func committedTable(t *testing.T) (all recordings.Table) {
	for _, file := range replayTables {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var table recordings.Table
		require.NoError(t, json.Unmarshal(raw, &table))
		all.Recordings = append(all.Recordings, table.Recordings...)
	}
	return all
}

func TestReplayTableHoldsAllRecordings(t *testing.T) {
	exchanges := map[string]int{}
	for _, r := range committedTable(t).Recordings {
		exchanges[r.Name[:2]] += len(r.Exchanges) // both tables have some of 38
	}
	assert.Equal(t, map[string]int{"01": 12, "02": 16, "03": 14, "04": 9, "06": 31, "08": 1, "10": 8, "11": 11, "12": 2, "15": 12, "20": 27, "21": 12, "23": 6, "25": 12, "26": 10, "29": 34, "30": 10, "31": 17, "32": 3, "33": 22, "34": 13, "35": 4, "37": 13, "38": 12 + 9}, exchanges)
}

// replayTimes are long enough for an operation to be seen under way, and
// settledReplay is longer than any of them.
var replayTimes = Duration{Median: 30 * time.Second}

const settledReplay = 10 * time.Minute
