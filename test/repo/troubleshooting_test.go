package repo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// quoted is a row of a table that begins with a message.
var quoted = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")

// TestQuotedMessagesExist keeps docs/guides/troubleshooting.md to messages that are still
// printed: by our own programs, and by those that the runner is made of.
func TestQuotedMessagesExist(t *testing.T) {
	page, err := os.ReadFile("docs/guides/troubleshooting.md")
	require.NoError(t, err)
	ours, theirs, found := strings.Cut(string(page), "## Messages of GitLab Runner")
	require.True(t, found)
	own := sources(t, "cmd/fleeting-plugin-azure", "instancegroup", "internal")
	own = append(own, rootSources(t)...)
	messages := quoted.FindAllStringSubmatch(ours, -1)
	require.Greater(t, len(messages), 40)
	for _, m := range messages {
		assert.True(t, printedBy(own, m[1]), "nothing of ours prints %q", m[1])
	}
	libraries := sources(t, moduleDir(t, "gitlab.com/gitlab-org/fleeting/fleeting"), moduleDir(t, "gitlab.com/gitlab-org/fleeting/taskscaler"), moduleDir(t, "github.com/hashicorp/go-plugin"))
	for _, m := range quoted.FindAllStringSubmatch(theirs, -1) {
		assert.True(t, printedBy(libraries, m[1]), "nothing of the runner's prints %q", m[1])
	}
	assert.False(t, printedBy(own, "a message that … nobody prints"))
}

// printedBy reports whether one file has all parts of a message, between which names and
// numbers stand.
func printedBy(files []string, message string) bool {
	for _, text := range files {
		all := true
		for part := range strings.SplitSeq(message, "…") {
			all = all && strings.Contains(text, strings.TrimSpace(part))
		}
		if all {
			return true
		}
	}
	return false
}

// sources are the texts of Go files below directories, without tests.
func sources(t *testing.T, dirs ...string) (texts []string) {
	t.Helper()
	for _, dir := range dirs {
		require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !isSource(path) {
				return err
			}
			text, err := os.ReadFile(path)
			texts = append(texts, string(text))
			return err
		}))
	}
	return texts
}

func rootSources(t *testing.T) (texts []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, file := range files {
		texts = append(texts, sources(t, file)...)
	}
	return texts
}

func isSource(path string) bool {
	return strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go")
}

func moduleDir(t *testing.T, module string) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output() //nolint:gosec // a constant
	require.NoError(t, err, module)
	return strings.TrimSpace(string(dir))
}
