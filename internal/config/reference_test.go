package config_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

var update = flag.Bool("update", false, "rewrite the reference page")

func TestReference(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "reference", "configuration.md")
	if *update {
		require.NoError(t, os.WriteFile(path, config.Reference(), 0o644))
	}
	committed, err := os.ReadFile(path)
	require.NoError(t, err)
	text := strings.ReplaceAll(string(committed), "\r\n", "\n")
	assert.Equal(t, string(config.Reference()), text, "run go test ./internal/config -run TestReference -update")
}

func TestReferenceCoversEveryOption(t *testing.T) {
	t.Parallel()
	page := string(config.Reference())
	for _, o := range config.Options() {
		assert.Contains(t, page, "| [`"+o.Key+"`](#"+o.Key+") |")
		assert.Contains(t, page, "\n### `"+o.Key+"`\n")
		for _, c := range o.Choices {
			assert.Contains(t, page, "| `"+c.Value+"` |")
		}
		for _, k := range o.Keys {
			assert.Contains(t, page, "\n  "+k.Key+" = ")
		}
	}
}

var tomlBlock = regexp.MustCompile("(?s)```toml\n(.*?)```")

// TestReferenceExamplesWork parses what a reader would copy from the page.
func TestReferenceExamplesWork(t *testing.T) {
	t.Parallel()
	blocks := tomlBlock.FindAllSubmatch(config.Reference(), -1)
	require.Len(t, blocks, 3)
	for _, block := range blocks {
		options := pluginConfig(t, string(block[1]))
		if file, ok := options["client_secret_file"].(string); ok {
			options["client_secret_file"] = abs(file)
		}
		_, err := config.Parse(with(options), nil)
		assert.NoError(t, err, "%s", block[1])
	}
}

func pluginConfig(t *testing.T, text string) map[string]any {
	t.Helper()
	type runner struct {
		Autoscaler struct {
			PluginConfig map[string]any `toml:"plugin_config"`
		} `toml:"autoscaler"`
	}
	if strings.HasPrefix(text, "[[runners]]") {
		var file struct{ Runners []runner }
		require.NoError(t, toml.Unmarshal([]byte(text), &file), text)
		return file.Runners[0].Autoscaler.PluginConfig
	}
	var file struct{ Runners runner }
	require.NoError(t, toml.Unmarshal([]byte(text), &file), text)
	return file.Runners.Autoscaler.PluginConfig
}

func TestConfigOmitsWhatIsEmpty(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(config.Config{Name: "set"})
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"set"}`, string(raw))
}
