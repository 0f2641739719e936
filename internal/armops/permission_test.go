package armops

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the reference page")

func TestEachPermissionHasAPurpose(t *testing.T) {
	t.Parallel()
	for _, p := range Permissions() {
		assert.NotEmpty(t, p.Purpose, p.Action)
	}
	assert.Len(t, purposes, len(Permissions()), "a purpose of what is not needed")
}

// The generated parts of the page; what stands between them is written by hand.
var (
	rolePart  = regexp.MustCompile("(?s)```json\n.*?```\n")
	tablePart = regexp.MustCompile(`(?s)\| action \| mode \| for \|\n.*?\n\n`)
)

func role(t *testing.T) string {
	t.Helper()
	all := []string{}
	for _, p := range Permissions() {
		all = append(all, p.Action)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(struct {
		Name, Description         string
		Actions, AssignableScopes []string
	}{
		"GitLab Runner autoscaler", "Scale one virtual machine scale set for GitLab Runner.", all,
		[]string{"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/ci"},
	}))
	return "```json\n" + b.String() + "```\n"
}

func table() string {
	text := "| action | mode | for |\n|---|---|---|\n"
	for _, p := range Permissions() {
		text += fmt.Sprintf("| `%s` | %s | %s |\n", p.Action, p.Mode, p.Purpose)
	}
	return text + "\n"
}

// TestReference keeps role and table of docs/reference/permissions.md to the table of
// operations.
func TestReference(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "reference", "permissions.md")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	page := strings.ReplaceAll(string(raw), "\r\n", "\n")
	require.Len(t, rolePart.FindAllString(page, -1), 1)
	require.Len(t, tablePart.FindAllString(page, -1), 1)
	want := rolePart.ReplaceAllLiteralString(page, role(t))
	want = tablePart.ReplaceAllLiteralString(want, table())
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644)) //nolint:gosec // a page
		return
	}
	assert.Equal(t, want, page, "run make docs")
}
