package migrate_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/migrate"
)

const smallest = "[[runners]]\nexecutor = \"docker+machine\"\n[runners.machine]\nMachineDriver = \"azure\"\n"

func TestBadInput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, config, want string }{
		{"empty", "", "the configuration is empty"},
		{"blank", " \n\t\n", "the configuration is empty"},
		{"not TOML", "concurrent = 1\n[[runners]\nname = \"PLACEHOLDER\"\n", "line 2: is not valid TOML"},
		{"not text", "\xff\xfe\x00", "is not valid TOML"},
		{"given twice", "concurrent = 1\nconcurrent = 2\n", "line 2: is not valid TOML"},
		{"no runner", "concurrent = 1\n", "there is no [[runners]]"},
		{"another executor", "[[runners]]\nexecutor = \"shell\"\n", `no runner has executor = "docker+machine"`},
		{"migrated already", "[[runners]]\nexecutor = \"docker-autoscaler\"\n", `no runner has executor = "docker+machine"`},
		{"another driver", "[[runners]]\nexecutor = \"docker+machine\"\n[runners.machine]\nMachineDriver = \"amazonec2\"\n", "the driver of docker-machine is amazonec2"},
		{"no driver", "[[runners]]\nexecutor = \"docker+machine\"\n[runners.machine]\nMachineName = \"%s\"\n", "the driver of docker-machine is missing"},
		{"no machine", "[[runners]]\nexecutor = \"docker+machine\"\n", "the driver of docker-machine is missing"},
		{"inline", "concurrent = 1\nrunners = [{ executor = \"docker+machine\" }]\n", "line 2: runners is an inline array"},
		{"a table", "[runners]\nexecutor = \"docker+machine\"\n", "line 1: [runners] is a table"},
		{"both", smallest + "[runners.autoscaler]\n", "line 5: runner \"runner 1\" has [runners.autoscaler] already"},
		{"secret elsewhere", "# PLACEHOLDER~secret\n" + smallest + "MachineOptions = [\"azure-client-secret=PLACEHOLDER~secret\"]\n", "line 1: the client secret is written outside of MachineOptions"},
		{"secret as another value", smallest + "MachineOptions = [\"azure-client-secret=PLACEHOLDER~secret\", \"azure-location=PLACEHOLDER~secret\"]\n", "the client secret is also a part of another value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := migrate.Run(migrate.Input{Config: []byte(c.config)})
			require.Error(t, err)
			assert.True(t, strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), c.want), err.Error())
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), "PLACEHOLDER")
		})
	}
}

// TestSmallest migrates a runner with nothing but docker-machine's defaults.
func TestSmallest(t *testing.T) {
	t.Parallel()
	result, err := migrate.Run(migrate.Input{Config: []byte(smallest)})
	require.NoError(t, err)
	assert.Empty(t, result.Environment)
	assert.Contains(t, result.Config, `credential = "managed_identity"`)
	assert.Contains(t, result.Config, `name = "runner-1"`)
	options := map[string]bool{}
	for _, n := range result.Notes {
		if n.Verdict == migrate.Decision {
			options[n.Option] = true
		}
	}
	assert.Equal(t, map[string]bool{"network": true, "credential": true, "subscription_id": true}, options)
}

// TestLineBreaks keeps those of Windows, and a byte order mark.
func TestLineBreaks(t *testing.T) {
	t.Parallel()
	text := "\uFEFF" + strings.ReplaceAll(smallest+"# end\n", "\n", "\r\n")
	result, err := migrate.Run(migrate.Input{Config: []byte(text)})
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(result.Config, "\uFEFF[[runners]]\r\n"))
	assert.Equal(t, strings.Count(result.Config, "\n"), strings.Count(result.Config, "\r\n"))
	assert.True(t, strings.HasSuffix(result.Config, "# end\r\n"))
}

func TestImages(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]migrate.Verdict{
		"Canonical:UbuntuServer:18.04-LTS:latest":                                            migrate.Changed,
		"canonical:ubuntuserver:16.04.0-LTS:latest":                                          migrate.Changed,
		"Canonical:0001-com-ubuntu-server-focal:20_04-lts-gen2:latest":                       migrate.Changed,
		"OpenLogic:CentOS:7.9:latest":                                                        migrate.Changed,
		"Canonical:ubuntu-24_04-lts:server:latest":                                           migrate.Mapped,
		"Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:22.04.202401010":              migrate.Mapped,
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/a/images/b": migrate.Mapped,
		"MicrosoftWindowsServer:WindowsServer:2022-datacenter:latest":                        migrate.Decision,
		"Canonical:UbuntuServer:latest":                                                      migrate.Decision,
		"Canonical:Ubuntu Server:18.04:latest":                                               migrate.Decision,
		"ubuntu":                                                                             migrate.Decision,
	} {
		result, err := migrate.Run(migrate.Input{Config: []byte(smallest + "MachineOptions = [\"azure-image=" + image + "\"]\n")})
		require.NoError(t, err)
		verdict := migrate.Verdict("")
		for _, n := range result.Notes {
			if n.Option == "azure-image" {
				verdict = n.Verdict
			}
		}
		assert.Equal(t, want, verdict, image)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for template, want := range map[string]string{
		"wqtest-%s": "wqtest", "%s": "runner-1", "CI_Machine.%s": "ci-machine", "%s-9": "runner-1", "1-ci-%s": "ci",
		strings.Repeat("a", 53) + "-b%s": strings.Repeat("a", 53),
	} {
		result, err := migrate.Run(migrate.Input{Config: []byte(smallest + "MachineName = \"" + template + "\"\n")})
		require.NoError(t, err)
		assert.Contains(t, result.Config, "name = \""+want+"\"\n", template)
	}
	result, err := migrate.Run(migrate.Input{Config: []byte(smallest + "MachineName = \"windows-machine-%s\"\n" +
		"MachineOptions = [\"azure-image=MicrosoftWindowsServer:WindowsServer:2022-datacenter:latest\"]\n")})
	require.NoError(t, err)
	assert.Contains(t, result.Config, "name = \"windows-m\"\n")
	assert.NotContains(t, result.Config, "cloud-init")
}
