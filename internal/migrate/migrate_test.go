package migrate_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/migrate"
)

var update = flag.Bool("update", false, "rewrite the golden files and the reference page")

// golden are the inputs in testdata: NAME.toml, and NAME.env if there is one.
var golden = []string{"team", "options", "periods", "several"}

func read(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
}

func input(t testing.TB, name string) migrate.Input {
	t.Helper()
	in := migrate.Input{Config: read(t, name+".toml")}
	if _, err := os.Stat(filepath.Join("testdata", name+".env")); err == nil {
		in.Environment = read(t, name+".env")
	}
	return in
}

func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	assert.Equal(t, string(read(t, name)), string(got), "run go test ./internal/migrate -update")
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, name := range golden {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, err := migrate.Run(input(t, name))
			require.NoError(t, err)
			compare(t, name+".golden.toml", []byte(result.Config))
			var report bytes.Buffer
			require.NoError(t, result.WriteNotes(&report))
			require.NoError(t, result.WriteCommands(&report))
			compare(t, name+".golden.txt", report.Bytes())
			for _, secret := range []string{"PLACEHOLDER~", "PLACEHOLDER-password"} {
				assert.NotContains(t, result.Config+report.String(), secret)
			}
			assertWorks(t, result)
		})
	}
}

type runnerConfig struct {
	Name       string
	Executor   string
	Machine    map[string]any
	Autoscaler *struct {
		Plugin              string           `toml:"plugin"`
		CapacityPerInstance int              `toml:"capacity_per_instance"`
		MaxUseCount         int              `toml:"max_use_count"`
		MaxInstances        int              `toml:"max_instances"`
		PluginConfig        map[string]any   `toml:"plugin_config"`
		ConnectorConfig     map[string]any   `toml:"connector_config"`
		Policy              []map[string]any `toml:"policy"`
	}
}

func decode(t testing.TB, text string) (runners []runnerConfig) {
	t.Helper()
	var whole struct{ Runners []runnerConfig }
	_, err := toml.Decode(text, &whole)
	require.NoError(t, err, text)
	return whole.Runners
}

// assertWorks has the runner's parser and the plugin's own check read the result.
func assertWorks(t *testing.T, result *migrate.Result) {
	t.Helper()
	migrated := 0
	for _, r := range decode(t, result.Config) {
		if r.Executor != "docker-autoscaler" {
			continue
		}
		migrated++
		assert.Nil(t, r.Machine, r.Name)
		require.NotNil(t, r.Autoscaler, r.Name)
		assert.Equal(t, 1, r.Autoscaler.CapacityPerInstance)
		assert.Positive(t, r.Autoscaler.MaxInstances)
		require.NotEmpty(t, r.Autoscaler.Policy)
		assert.NotContains(t, r.Autoscaler.Policy[0], "periods", "the last policy that matches applies")
		for _, p := range r.Autoscaler.Policy {
			assert.Equal(t, false, p["preemptive_mode"])
		}
		raw, err := json.Marshal(r.Autoscaler.PluginConfig)
		require.NoError(t, err)
		_, err = config.Parse(raw, func(name string) string {
			return map[string]string{"AZURE_CLIENT_SECRET": "given", "AZURE_TENANT_ID": "contoso.onmicrosoft.com"}[name]
		})
		assert.NoError(t, err, r.Name)
	}
	assert.Len(t, result.Setups, migrated)
}

// TestEnvironmentFile checks that the secret gets through, and only there.
func TestEnvironmentFile(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"team":    "\nAZURE_CLIENT_SECRET=PLACEHOLDER~client.secret\n",
		"periods": "\nAZURE_CLIENT_SECRET='PLACEHOLDER~client.\"secret'\n",
		"several": "\nAZURE_CLIENT_SECRET=PLACEHOLDER~first.secret\n",
	} {
		result, err := migrate.Run(input(t, name))
		require.NoError(t, err)
		assert.Contains(t, string(result.Environment), want)
		shown, err := json.Marshal(result)
		require.NoError(t, err)
		assert.NotContains(t, string(shown), "PLACEHOLDER~")
	}
}

func TestTenantIsTheOnlyThingMissing(t *testing.T) {
	t.Parallel()
	in := input(t, "team")
	in.Config = bytes.Replace(in.Config, []byte(`"azure-location=japaneast",`), []byte(`"azure-use-private-ip=true",`), 1)
	result, err := migrate.Run(in)
	require.NoError(t, err)
	assert.Equal(t, 1, result.Decisions())
	in.Tenant = "contoso.onmicrosoft.com"
	result, err = migrate.Run(in)
	require.NoError(t, err)
	assert.Zero(t, result.Decisions())
	assert.Contains(t, result.Config, `tenant_id = "contoso.onmicrosoft.com"`)
}

// TestEveryOptionHasAVerdict gives each option by itself.
func TestEveryOptionHasAVerdict(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, o := range migrate.Options() {
		assert.False(t, seen[o.Name], "%s is twice in the table", o.Name)
		seen[o.Name] = true
		assert.Contains(t, migrate.Verdicts, o.Verdict, o.Name)
		assert.NotEmpty(t, o.Fate, o.Name)
		if o.Origin == migrate.Runner {
			continue
		}
		text := "[[runners]]\nexecutor = \"docker+machine\"\n[runners.machine]\nMachineDriver = \"azure\"\n" +
			"MachineOptions = [\n\"" + o.Name + "=Value-1\"]\n"
		assertNoted(t, migrate.Input{Config: []byte(text)}, o.Name, migrate.FromConfig, 6)
		if o.Env == "" {
			continue
		}
		bare := strings.Split(text, "MachineOptions")[0]
		assertNoted(t, migrate.Input{Config: []byte(bare), Environment: []byte("\nexport " + o.Env + "=Value-1\n")}, o.Env, migrate.FromEnvironment, 2)
	}
	for _, name := range []string{"options", "periods"} { // between them they have every setting of the runner
		result, err := migrate.Run(input(t, name))
		require.NoError(t, err)
		for _, n := range result.Notes {
			delete(seen, strings.Split(n.Option, ":")[0])
			if n.Line > 0 {
				delete(seen, "MachineOptions")
			}
		}
	}
	for _, o := range migrate.Options() {
		if o.Origin == migrate.Runner && o.Name != "autoscaling.IdleCountMin" {
			assert.False(t, seen[o.Name], "nothing was said about %s", o.Name)
		}
	}
}

// driverFlags are the flags of docker-machine's azure driver, by GetCreateFlags in
// drivers/azure/azure.go of docker/machine 0.16.2 and of rancher/machine, which adds
// those of the second line (both read on 2026-11-26).
var driverFlags = map[migrate.Origin]string{
	migrate.Azure: "environment subscription-id resource-group ssh-user docker-port location size image vnet subnet subnet-prefix availability-set custom-data " +
		"private-ip-address storage-type use-private-ip no-public-ip static-public-ip dns open-port client-id client-secret",
	migrate.Rancher: "tenant-id nsg plan managed-disks fault-domain-count update-domain-count disk-size tags availability-zone enable-public-ip-standard-sku " +
		"accelerated-networking encryption-at-host",
}

// TestGoldenHasEveryOption: the driver's, and all others of the table.
func TestGoldenHasEveryOption(t *testing.T) {
	t.Parallel()
	table := map[migrate.Origin][]string{}
	text := string(read(t, "options.toml"))
	for _, o := range migrate.Options() {
		table[o.Origin] = append(table[o.Origin], strings.TrimPrefix(o.Name, "azure-"))
		if o.Origin != migrate.Runner {
			assert.Regexp(t, `"`+o.Name+`["=]`, text)
		}
	}
	for origin, flags := range driverFlags {
		assert.ElementsMatch(t, strings.Fields(flags), table[origin], origin)
	}
}

func assertNoted(t *testing.T, in migrate.Input, option string, source migrate.Source, line int) {
	t.Helper()
	result, err := migrate.Run(in)
	require.NoError(t, err, option)
	found := 0
	for _, n := range result.Notes {
		if n.Option == option && n.Source == source && n.Line == line {
			found++
			assert.NotEmpty(t, n.Text)
		}
	}
	assert.Equal(t, 1, found, option)
}

func TestReference(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "reference", "docker-machine.md")
	if *update {
		require.NoError(t, os.WriteFile(path, migrate.Reference(), 0o644))
	}
	committed, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(migrate.Reference()), strings.ReplaceAll(string(committed), "\r\n", "\n"), "run go test ./internal/migrate -run TestReference -update")
	for _, o := range migrate.Options() {
		assert.Contains(t, string(committed), "| `"+o.Name+"`")
	}
}
