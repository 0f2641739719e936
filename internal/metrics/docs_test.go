package metrics

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocumented keeps the guide's table to the metrics that there are.
func TestDocumented(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- metrics -->\n", "<!-- end of metrics -->\n"
	text, err := os.ReadFile(guide)
	require.NoError(t, err)
	page := strings.ReplaceAll(string(text), "\r\n", "\n")
	before, rest, found := strings.Cut(page, begin)
	require.True(t, found)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found)
	want := before + begin + table(own(t)) + end + after
	if *update {
		require.NoError(t, os.WriteFile(guide, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, page, "run go test ./internal/metrics -run TestDocumented -update")
}

func table(all map[string]family) string {
	var b strings.Builder
	b.WriteString("\n| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !strings.HasPrefix(name, namespace) {
			continue
		}
		f, labels := all[name], []string{}
		for _, l := range f.labels {
			if l != "resource_group" && l != "scale_set" {
				labels = append(labels, "`"+l+"`")
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, f.kind, strings.Join(labels, ", "), f.help)
	}
	return b.String() + "\n"
}
