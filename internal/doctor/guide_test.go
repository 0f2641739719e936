package doctor

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGuideHasEachCheck: its tables have a row for each check name, and for no other.
func TestGuideHasEachCheck(t *testing.T) {
	page, err := os.ReadFile("../../docs/guides/set-up-and-diagnose.md")
	require.NoError(t, err)
	var documented []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllSubmatch(page, -1) {
		documented = append(documented, string(row[1]))
	}
	named := []string{"shared-scale-set", "proxy", "credential", "clock", "azure"} // which are in no list
	for _, c := range runnerChecks {
		named = append(named, c.name)
	}
	for _, c := range slices.Concat(accessChecks, setChecks) {
		named = append(named, c.name)
	}
	assert.ElementsMatch(t, named, documented)
}
