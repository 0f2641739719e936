package binary_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

const (
	noAutoscaler  = "[[runners]]\n  name = \"shell\"\n  executor = \"shell\"\n"
	anotherPlugin = "[[runners]]\n  name = \"aws\"\n  [runners.autoscaler]\n    plugin = \"fleeting-plugin-aws\"\n"
	wrongOptions  = "[[runners]]\n  name = \"azure\"\n  [runners.autoscaler]\n    plugin = \"fleeting-plugin-azure\"\n    [runners.autoscaler.plugin_config]\n      nam = \"ci\"\n"
	someID        = "00000000-0000-4000-8000-0000000000aa"
)

// readers are the commands that read a configuration, as far as its name.
var readers = map[string][]string{
	"doctor": {"doctor", "--config"}, "doctor offline": {"doctor", "--offline", "--config"}, "status": {"status", "--config"}, "migrate": {"migrate"},
}

func TestBadConfigurations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ content, doctor, migrate string }{
		"none":              {"", "there is no such file; fix: --config names", "there is no file config.toml"},
		"a directory":       {"/", "it is a directory; fix: ", "cannot be read; name a file"},
		"a dangling link":   {"@", "there is no such file; fix: --config names", "there is no file config.toml"},
		"empty":             {"\n", "has no [[runners]]; fix: ", "the configuration is empty"},
		"not TOML":          {"concurrent = 1\n[[runners]\n", "read config.toml: line 2: ", "line 2: is not valid TOML"},
		"another type":      {"concurrent = \"x\"\n[[runners]]\n", "read config.toml: line 1", "nothing to migrate"},
		"no autoscaler":     {noAutoscaler, `runner "shell" has no [runners.autoscaler]); fix: `, "docker+machine"},
		"another plugin":    {anotherPlugin, `runner "aws" has plugin = "fleeting-plugin-aws"); fix: `, "docker+machine"},
		"not of this world": {"\x00\x01\xff", "read config.toml: line 1: ", "line 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, nil)
			path := filepath.Join(s.dir, "config.toml")
			switch c.content {
			case "":
			case "/":
				require.NoError(t, os.Mkdir(path, 0o700))
			case "@":
				require.NoError(t, os.Symlink("nowhere.toml", path))
			default:
				s.file("config.toml", c.content)
			}
			for command, args := range readers {
				want := c.doctor
				if command == "migrate" {
					want = c.migrate
				}
				s.run(append(args, "config.toml")...).assertOneSentence(t, 1, want)
			}
			if text, err := os.ReadFile(path); err == nil {
				assert.Equal(t, c.content, string(text))
			}
		})
	}
}

// TestUnreadable needs a user who may not read everything.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	s := newShell(t, nil)
	s.file("config.toml", noAutoscaler)
	require.NoError(t, os.Chmod(filepath.Join(s.dir, "config.toml"), 0))
	for _, args := range readers {
		s.run(append(args, "config.toml")...).assertOneSentence(t, 1, "permission denied")
	}
}

func TestBadCommandLines(t *testing.T) {
	t.Parallel()
	whole := " --name ci --location westeurope --ssh-key key --subscription " + someID
	for line, want := range map[string]string{
		"setup --unknown":                       "unknown flag: --unknown; see fleeting-plugin-azure setup --help",
		"teardown --unknown":                    "unknown flag: --unknown",
		"doctor --unknown":                      "unknown flag: --unknown",
		"status --unknown":                      "unknown flag: --unknown",
		"migrate --unknown":                     "unknown flag: --unknown",
		"setup more":                            `unknown command "more" for "fleeting-plugin-azure setup"`,
		"teardown more":                         `unknown command "more"`,
		"doctor more":                           `unknown command "more"`,
		"status more":                           `unknown command "more"`,
		"migrate":                               "accepts 1 arg(s), received 0",
		"migrate a b":                           "accepts 1 arg(s), received 2",
		"setup --output yaml" + whole:           `--output is text or json, not "yaml"`,
		"doctor --output yaml":                  `--output is text or json, not "yaml"`,
		"status --output yaml":                  `--output is text or json, not "yaml"`,
		"migrate --output yaml config.toml":     `--output is text or json, not "yaml"`,
		"setup":                                 "--subscription is no subscription ID; fix: ",
		"setup --mode Both" + whole:             "--mode is Uniform or Flexible; fix: ",
		"setup --executor shell" + whole:        `--executor is docker-autoscaler or instance, not "shell"`,
		"setup --credential password" + whole:   "--credential ",
		"setup --cloud Mars" + whole:            "--cloud ",
		"setup --max 0" + whole:                 "--max must be 1 or more, not 0",
		"setup --max many" + whole:              `invalid argument "many" for "--max" flag`,
		"setup --price -1" + whole:              "--price is what an instance costs an hour",
		"setup --currency euro" + whole:         "--currency is a code of three letters",
		"setup --network 10.40.0.1/16" + whole:  "--network is no range of IPv4 addresses that a subnet can have; fix: ",
		"setup --network everything" + whole:    "--network is no range of IPv4 addresses that a subnet can have; fix: ",
		"setup --subnet mine" + whole:           "--subnet is no resource ID of a subnet; fix: ",
		"setup --image Ubuntu" + whole:          "--image \"Ubuntu\" has 1 parts",
		"setup --cloud-init none.yaml" + whole:  "--cloud-init: open none.yaml: no such file",
		"setup --principal me" + whole:          "--principal is no object ID; fix: ",
		"setup" + whole + " --ssh-key no-key":   "--ssh-key: no-key is no private key of SSH",
		"teardown":                              "--name is missing",
		"teardown --name ci":                    "--subscription is missing",
		"status --name ci --subscription mine":  `--subscription "mine" is not a GUID`,
		"status --watch --every 1s":             "--every must be 5s or more",
		"status --watch --every often":          `invalid argument "often" for "--every" flag`,
		"status --currency €":                   "--currency is a code of three letters",
		"completion tcsh":                       `unknown command "tcsh"`,
		"completion":                            "name a shell: bash, zsh, fish or powershell",
		"setpu":                                 `unknown command "setpu"; did you mean setup?`,
		"migrate a --out b --environment-out b": "--environment-out needs a file of its own",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, nil)
			s.file("no-key", "nothing of the sort")
			r := s.run(strings.Fields(line)...)
			r.assertOneSentence(t, 2, want)
			assert.NoFileExists(t, filepath.Join(s.dir, "key"), "a command line that is wrong makes nothing")
		})
	}
}

// TestNoCredential: an environment in which nobody is signed in.
func TestNoCredential(t *testing.T) {
	t.Parallel()
	sim := armsim.Start(t, armsim.Config{NoMachines: true, TimeScale: 5, Subscription: armsim.Subscription{Empty: true}})
	s := newShell(t, nil)
	s.env = launch.Environment{"SSL_CERT_FILE": launch.EnvironmentOf(sim)["SSL_CERT_FILE"]}
	const want = "missing environment variable AZURE_TENANT_ID; fix: "
	s.run(setupAt(sim)...).assertOneSentence(t, 1, want)
	s.run(at(sim, "teardown", "--yes")...).assertOneSentence(t, 1, want)
	s.run(at(sim, "status", "--no-price")...).assertOneSentence(t, 1, want)
	assert.NoFileExists(t, filepath.Join(s.dir, "key"))

	s.file("config.toml", configOf(sim, "key"))
	s.run("status", "--config", "config.toml").assertOneSentence(t, 1, want)
	r := s.run("doctor", "--config", "config.toml")
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.stderr)
	assert.Contains(t, r.stdout, "fault   credential: set up credential \"environment\": missing environment variable AZURE_TENANT_ID")
	assert.Zero(t, launch.WritesOf(sim))
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	s := newShell(t, nil)
	s.file("config.toml", wrongOptions)
	s.run("status", "--config", "config.toml").assertOneSentence(t, 1, `runner "azure": plugin_config: `)
	r := s.run("doctor", "--config", "config.toml", "--output", "json")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stdout, `"line": 6`)
}

// TestSetupGoesOn after Azure refused a part of the network.
func TestSetupGoesOn(t *testing.T) {
	t.Parallel()
	sim := armsim.Start(t, armsim.Config{NoMachines: true, TimeScale: 5, Subscription: armsim.Subscription{Empty: true, CheckReferences: true}})
	require.NoError(t, sim.AddFaults(armsim.Fault{Operation: armops.PutGateway, Times: 1, Effect: armsim.Effect{
		Error: &armsim.ErrorResponse{Status: http.StatusConflict, Code: "PublicIPCountLimitReached", Message: "no more of them"},
	}}))
	s := newShell(t, sim)
	r := s.run(setupAt(sim)...)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "PublicIPCountLimitReached")
	assert.NotContains(t, r.stdout, "[[runners]]")
	key, err := os.ReadFile(filepath.Join(s.dir, "key"))
	require.NoError(t, err)

	plan := s.run(setupAt(sim, "--dry-run")...)
	assert.Equal(t, 0, plan.code)
	assert.Contains(t, plan.stdout, "= network security group \"ci-nsg\"\n= public IP address \"ci-ip\"\n+ NAT gateway \"ci-nat\"\n")
	r = s.run(setupAt(sim)...)
	assert.Equal(t, 0, r.code, r.stderr)
	assert.Contains(t, r.stdout, "[[runners]]")
	again, err := os.ReadFile(filepath.Join(s.dir, "key"))
	require.NoError(t, err)
	assert.Equal(t, key, again, "the key is kept")
	assert.Contains(t, s.run(setupAt(sim)...).stdout, "nothing to do")

	require.NoError(t, sim.AddFaults(armsim.Fault{Operation: armops.DeleteSecurityGroup, Times: 1, Effect: armsim.Effect{
		Error: &armsim.ErrorResponse{Status: http.StatusConflict, Code: "InUseNetworkSecurityGroupCannotBeDeleted"},
	}}))
	r = s.run(at(sim, "teardown", "--yes")...)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "InUseNetworkSecurityGroupCannotBeDeleted")
	assert.Equal(t, 0, s.run(at(sim, "teardown", "--yes")...).code)
	assert.Contains(t, s.run(at(sim, "teardown", "--yes")...).stdout, "nothing to do")
}

// TestSetupLeavesWhatIsNotItsOwn: a scale set of that name which somebody else made.
func TestSetupLeavesWhatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	sim := launch.Simulator(t, armsim.Config{NoMachines: true, ResourceGroup: "runners"}, armsim.ScaleSetSpec{Name: "ci", Size: "Standard_D4s_v5"})
	writes := launch.WritesOf(sim)
	s := newShell(t, sim)
	for _, more := range [][]string{nil, {"--dry-run"}} {
		r := s.run(setupAt(sim, more...)...)
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stdout, "! scale set \"ci\"\n")
		assert.NotContains(t, r.stdout, "[[runners]]")
		assert.Equal(t, "fleeting-plugin-azure setup: scale set \"ci\" is there, and setup did not make it; fix: another --name, or remove it\n", r.stderr)
	}
	assert.Contains(t, s.run(at(sim, "teardown", "--yes")...).stdout, "nothing to do")
	assert.Equal(t, writes, launch.WritesOf(sim))
	assert.NoFileExists(t, filepath.Join(s.dir, "key"))
}

// TestTeardownAsks: without a terminal nobody can confirm.
func TestTeardownAsks(t *testing.T) {
	t.Parallel()
	sim := armsim.Start(t, armsim.Config{NoMachines: true, TimeScale: 5, Subscription: armsim.Subscription{Empty: true}})
	s := newShell(t, sim)
	require.Equal(t, 0, s.run(setupAt(sim)...).code)
	r := s.run(at(sim, "teardown")...)
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.stdout, "- scale set \"ci\"\n")
	assert.Contains(t, r.stderr, "nobody is there to confirm; fix: --yes")
	assert.Contains(t, s.run(setupAt(sim)...).stdout, "nothing to do")

	r = s.run(at(sim, "teardown", "--yes", "--output", "json")...)
	assert.Equal(t, 0, r.code)
	var plan struct {
		Items []struct{ Action, Title string }
	}
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &plan), r.stdout)
	require.NotEmpty(t, plan.Items)
	assert.Equal(t, struct{ Action, Title string }{"remove", `scale set "ci"`}, plan.Items[0])
	assert.Contains(t, s.run(at(sim, "teardown", "--output", "json")...).stdout, `"items": []`)
}

// TestProbeLeavesNothing: no instance, and no name by which the next probe, or a person,
// would take the scale set for one that somebody manages.
func TestProbeLeavesNothing(t *testing.T) {
	t.Parallel()
	sim := armsim.Start(t, armsim.Config{TimeScale: 5, Subscription: armsim.Subscription{Empty: true}})
	s := newShell(t, sim)
	require.Equal(t, 0, s.run(setupAt(sim)...).code)
	s.file("config.toml", strings.Replace(configOf(sim, "key"), "key_path", fmt.Sprintf("protocol_port = %d\n      key_path", sim.SSHPort), 1))
	for range 2 {
		r := s.run("doctor", "--config", "config.toml", "--probe")
		require.Equal(t, 0, r.code, r.stdout+r.stderr)
		assert.Contains(t, r.stdout, "  ok      remove the instance ")
	}
	assert.NotContains(t, s.run(at(sim, "status", "--no-price")...).stdout, "managed by")
	assert.Contains(t, s.run(setupAt(sim)...).stdout, "nothing to do")
	assert.Zero(t, sim.Stats().Machines)
}

// TestNoSecretIsPrinted of those that a configuration holds, whether or not it may.
func TestNoSecretIsPrinted(t *testing.T) {
	t.Parallel()
	sim := armsim.Start(t, armsim.Config{NoMachines: true, Subscription: armsim.Subscription{Empty: true}})
	const secret = launch.ClientSecret
	for name, change := range map[string][2]string{
		"client secret": {`credential = "environment"`, `credential = "client_secret"` + "\n      client_secret = \"" + secret + `"`},
		"as client ID":  {`credential = "environment"`, `credential = "client_secret"` + "\n      client_id = \"" + secret + `"`},
		"as credential": {`credential = "environment"`, `credential = "` + secret + `"`},
		"token":         {"glrt-not-a-real-one", "glrt-" + secret},
		"password":      {`key_path = "KEY"`, `password = "` + secret + "\"\n      use_static_credentials = true"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShell(t, sim)
			s.file("config.toml", strings.Replace(configOf(sim, "KEY"), change[0], change[1], 1))
			for _, args := range [][]string{{"doctor", "--offline"}, {"doctor"}, {"doctor", "--output", "json"}, {"status", "--no-price"}} {
				r := s.run(append(args, "--config", "config.toml")...)
				assert.NotContains(t, r.stdout+r.stderr, secret, args)
				assert.NotEmpty(t, r.stdout+r.stderr)
			}
		})
	}
}
