package repo_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

var codeBlock = regexp.MustCompile("(?s)```(toml|json)\n(.*?)```")

// blocks are the code blocks of a page in one language.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	var found []string
	for _, m := range codeBlock.FindAllStringSubmatch(string(text), -1) {
		if m[1] == language {
			found = append(found, m[2])
		}
	}
	require.NotEmpty(t, found, "%s has no %s block", page, language)
	return found
}

// pluginConfigOf finds plugin_config wherever it stands in a config.toml.
func pluginConfigOf(v any) any {
	switch v := v.(type) {
	case []map[string]any:
		for _, one := range v {
			if found := pluginConfigOf(one); found != nil {
				return found
			}
		}
	case map[string]any:
		if found, ok := v["plugin_config"]; ok {
			return found
		}
		for _, one := range v {
			if found := pluginConfigOf(one); found != nil {
				return found
			}
		}
	}
	return nil
}

func requireLoads(t *testing.T, text string) {
	t.Helper()
	var file map[string]any
	_, err := toml.Decode(text, &file)
	require.NoError(t, err)
	raw, err := json.Marshal(pluginConfigOf(file))
	require.NoError(t, err)
	_, err = config.Parse(raw, nil)
	require.NoError(t, err)
}

func TestExamplesLoad(t *testing.T) {
	files, err := filepath.Glob("examples/*.toml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		requireLoads(t, string(text))
	}
	readme := blocks(t, "README.md", "toml")
	require.Equal(t, 11, strings.Count(readme[0], "\n"), "the README promises a short config.toml")
	requireLoads(t, readme[0])
}

// TestLinks finds dead links between our own pages.
func TestLinks(t *testing.T) {
	pages, err := filepath.Glob("docs/*/*.md")
	require.NoError(t, err)
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, page := range append(pages, "README.md", "CONTRIBUTING.md", "CHANGELOG.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if m[1] == "http" || m[1] == "https" {
				continue
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(page), m[1]))
			require.NoError(t, err, "in %s", page)
		}
	}
}

// TestGuaranteesAreHeld: each promise names tests, and they exist.
func TestGuaranteesAreHeld(t *testing.T) {
	text, err := os.ReadFile("docs/reference/guarantees.md")
	require.NoError(t, err)
	existing := testNames(t)
	promises := regexp.MustCompile(`(?m)^## \d+\. `).Split(string(text), -1)[1:]
	require.Len(t, promises, 11)
	name := regexp.MustCompile("`(Test\\w+)`")
	for n, promise := range promises {
		_, held, found := strings.Cut(promise, "\nHeld by ")
		require.True(t, found, "promise %d names no test", n+1)
		require.NotEmpty(t, name.FindAllString(held, -1), "promise %d names no test", n+1)
	}
	for _, m := range name.FindAllStringSubmatch(string(text), -1) {
		require.True(t, existing[m[1]], "there is no test %s", m[1])
	}
}

// testNames are the tests of all packages.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	declaration := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	require.NoError(t, filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declaration.FindAllStringSubmatch(string(text), -1) {
			names[m[1]] = true
		}
		return err
	}))
	return names
}

// samples are the TOML texts of README, docs and examples, by where they are.
func samples(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && strings.HasPrefix(entry.Name(), "."), path == "bin", path == "dist":
			return filepath.SkipDir
		case filepath.Ext(path) != ".md" && filepath.Ext(path) != ".toml":
			return nil
		}
		text, err := os.ReadFile(path)
		if filepath.Ext(path) == ".toml" {
			found[path] = string(text)
		}
		for n, m := range codeBlock.FindAllStringSubmatch(string(text), -1) {
			if m[1] == "toml" {
				found[fmt.Sprintf("%s, block %d", path, n+1)] = m[2]
			}
		}
		return err
	}))
	return found
}

// waitingPolicies counts the policies of a sample, anywhere in it, and those that
// keep instances ready in the runner's preemptive mode, in which jobs wait longer
// than with none (docs/guides/waiting.md).
func waitingPolicies(v any) (all, waiting int) {
	switch v := v.(type) {
	case []map[string]any:
		for _, one := range v {
			n, w := waitingPolicies(one)
			all, waiting = all+n, waiting+w
		}
	case map[string]any:
		if count, ok := v["idle_count"]; ok {
			all++
			if count != int64(0) && v["preemptive_mode"] != false {
				waiting++
			}
		}
		for _, one := range v {
			n, w := waitingPolicies(one)
			all, waiting = all+n, waiting+w
		}
	}
	return all, waiting
}

func TestSamplesDoNotWait(t *testing.T) {
	policies := 0
	for path, text := range samples(t) {
		var file map[string]any
		_, err := toml.Decode(text, &file)
		require.NoError(t, err, path)
		all, waiting := waitingPolicies(file)
		policies += all
		require.Zero(t, waiting, "%s keeps instances ready without preemptive_mode = false", path)
	}
	require.GreaterOrEqual(t, policies, 4, "README, the example and the guide have policies")
}

func TestWaitingPoliciesAreFound(t *testing.T) {
	for text, want := range map[string]int{
		"idle_count = 2":                          1,
		"idle_count = 2\npreemptive_mode = true":  1,
		"idle_count = 2\npreemptive_mode = false": 0,
		"idle_count = 0":                          0,
		"idle_time = \"5m\"":                      0,
		"idle_count = 0\n[[runners.autoscaler.policy]]\nidle_count = 1": 1,
	} {
		var file map[string]any
		_, err := toml.Decode("[[runners]]\n[runners.autoscaler]\n[[runners.autoscaler.policy]]\n"+text, &file)
		require.NoError(t, err)
		_, waiting := waitingPolicies(file)
		require.Equal(t, want, waiting, text)
	}
}
