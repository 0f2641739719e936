package migrate_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/migrate"
)

// FuzzRun takes anything for a configuration and an environment.
func FuzzRun(f *testing.F) {
	for _, name := range golden {
		in := input(f, name)
		f.Add(in.Config, in.Environment)
	}
	f.Add([]byte(smallest), []byte("AZURE_CLIENT_SECRET=PLACEHOLDER~secret"))
	f.Fuzz(func(t *testing.T, text, environment []byte) {
		result, err := migrate.Run(migrate.Input{Config: text, Environment: environment})
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		assert.Equal(t, others(t, string(text)), others(t, result.Config))
	})
}

// others returns a decoded configuration without what is migrated.
func others(t *testing.T, text string) map[string]any {
	t.Helper()
	var whole map[string]any
	_, err := toml.Decode(strings.TrimPrefix(text, "\uFEFF"), &whole)
	require.NoError(t, err, text)
	for key, v := range whole {
		runners, ok := v.([]map[string]any)
		if !strings.EqualFold(key, "runners") || !ok {
			continue
		}
		for _, r := range runners {
			for key := range r {
				if strings.EqualFold(key, "executor") || strings.EqualFold(key, "machine") || key == "autoscaler" {
					delete(r, key)
				}
			}
		}
	}
	return whole
}

// FuzzSecret puts a secret in all places where docker-machine takes it from.
func FuzzSecret(f *testing.F) {
	f.Add("8Q~abcdefghijklmnopqrstuvwxyz0123456", "azure-location=westus")
	f.Add(`with "quotes" and \ and '`, "azure-client-secret")
	f.Add("\x00\n\u2028é", "=")
	f.Fuzz(func(t *testing.T, tail, option string) {
		secret := "Zq8~" + tail + "~8qZ"
		list := []string{"azure-client-secret=" + secret, option, secret, "azure-client-secret " + secret}
		var b strings.Builder
		b.WriteString(smallest)
		if err := toml.NewEncoder(&b).Encode(map[string]any{"MachineOptions": list}); err != nil {
			t.Skip()
		}
		b.WriteString("# " + strings.NewReplacer("\n", "", "\r", "").Replace(secret) + "\nMaxBuilds = 1\n")
		result, err := migrate.Run(migrate.Input{Config: []byte(b.String()), Environment: []byte("AZURE_CLIENT_SECRET=" + secret + "\nAZURE_PASSWORD='" + secret + "'\n")})
		if err != nil {
			assert.NotContains(t, err.Error(), secret)
			return
		}
		for _, s := range append(texts(result), result.Config) {
			assert.NotContains(t, s, secret)
		}
	})
}

// texts are all strings of a result that are shown.
func texts(result *migrate.Result) []string {
	var all []string
	for _, n := range result.Notes {
		v := reflect.ValueOf(n)
		for i := range v.NumField() {
			all = append(all, v.Field(i).String())
		}
	}
	for _, s := range result.Setups {
		all = append(all, s.Runner, s.Command(), s.ModelCommand())
	}
	return all
}

// TestUnrelatedTextIsKept puts other text around a runner.
func TestUnrelatedTextIsKept(t *testing.T) {
	t.Parallel()
	in := input(t, "team")
	_, block, _ := strings.Cut(string(in.Config), "[[runners]]")
	block = "[[runners]]" + block
	alone, err := migrate.Run(migrate.Input{Config: []byte(block)})
	require.NoError(t, err)
	rapid.Check(t, func(rt *rapid.T) {
		line := rapid.OneOf(
			rapid.StringMatching(`#[ -~\t]{0,20}`),
			rapid.StringMatching(`[ \t]{0,3}`),
		)
		table := rapid.Custom(func(rt *rapid.T) string {
			return rapid.SampledFrom([]string{
				"[[runners]]\n  name=\"x\"\n\texecutor  = 'shell' # y\n", "[[runners]]\n\"executor\" = \"\"\"docker\"\"\"\n[runners.docker]\nvolumes = [ \"/a\" ,\n # in it\n '/b' ]\n",
				"[[runners]]\nexecutor = \"docker+machine\"\n [runners.machine]\n  MachineDriver = \"google\"\n",
			}).Draw(rt, "table") + strings.Join(rapid.SliceOfN(line, 0, 3).Draw(rt, "lines"), "\n") + "\n"
		})
		before := strings.Join(rapid.SliceOfN(table, 0, 3).Draw(rt, "before"), "")
		after := strings.Join(rapid.SliceOfN(table, 0, 3).Draw(rt, "after"), "")
		result, err := migrate.Run(migrate.Input{Config: []byte(before + block + after)})
		require.NoError(rt, err)
		require.Equal(rt, before+alone.Config+after, result.Config)
	})
}
