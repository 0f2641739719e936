package binary_test

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// owner is a plugin that logs in with a key of its own.
type owner struct {
	*launch.Plugin
	sim  *armsim.Server
	file string
}

// ownLogin is a connector_config that names no login.
func ownLogin(s *armsim.Server) provider.Settings {
	return provider.Settings{ConnectorConfig: provider.ConnectorConfig{ProtocolPort: s.SSHPort, Timeout: launch.Patience, Keepalive: time.Second}}
}

func startOwner(t *testing.T, s *armsim.Server, file string) *owner {
	t.Helper()
	config := launch.ConfigFor(s, "ci")
	config["ssh_key_file"] = file
	o := &owner{launch.Start(t, launch.EnvironmentOf(s), config), s, file}
	_, err := o.Init(t.Context(), hclog.NewNullLogger(), ownLogin(s))
	require.NoError(t, err)
	_, err = o.States(t) // what is there is there before
	require.NoError(t, err)
	return o
}

// grow has n more instances created: the first Increase may have to write the key first.
func (o *owner) grow(t *testing.T, n int) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		accepted, err := o.Increase(t.Context(), n)
		assert.NoError(c, err)
		assert.Equal(c, n, accepted)
	}, launch.Patience, launch.Tick)
}

// run runs a command with the connection that the plugin tells.
func (o *owner) run(t *testing.T, id string) error {
	t.Helper()
	info, err := o.ConnectInfo(t.Context(), id)
	require.NoError(t, err)
	assert.Empty(t, info.Password)
	var out bytes.Buffer
	err = connector.Run(t.Context(), info, connector.ConnectorOptions{RunOptions: connector.RunOptions{Command: "echo $USER", Stdout: &out}})
	if err == nil {
		assert.Equal(t, info.Username+"\n", out.String())
	}
	return err
}

// letIn tries to log in once; fleeting's connector tries again where it is refused.
func letIn(t *testing.T, info provider.ConnectInfo) error {
	t.Helper()
	key, err := ssh.ParsePrivateKey(info.Key)
	require.NoError(t, err)
	client, err := ssh.Dial("tcp", net.JoinHostPort(info.InternalAddr, strconv.Itoa(info.ProtocolPort)), &ssh.ClientConfig{
		User: info.Username, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: launch.Patience, //nolint:gosec // as the runner does
	})
	if err == nil {
		err = client.Close()
	}
	return err
}

func (o *owner) await(t *testing.T, n int) []string {
	t.Helper()
	require.Eventually(t, func() bool { return o.sim.Stats().Running == n }, launch.Patience, launch.Tick)
	return o.AwaitRunning(t, n)
}

// modelKeys are the SSH public keys of the scale set's model.
func modelKeys(t *testing.T, s *armsim.Server) (keys []string) {
	t.Helper()
	var set struct {
		Properties struct {
			Profile struct {
				OS struct {
					Linux struct {
						SSH struct {
							Keys []struct {
								Path string `json:"path"`
								Data string `json:"keyData"`
							} `json:"publicKeys"`
						} `json:"ssh"`
					} `json:"linuxConfiguration"`
				} `json:"osProfile"`
			} `json:"virtualMachineProfile"`
		} `json:"properties"`
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoint+s.ScaleSetPath("ci")+"?api-version=2025-04-01", nil)
	require.NoError(t, err)
	token, err := s.Token()
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := s.Transport().RoundTrip(r)
	require.NoError(t, err)
	defer response.Body.Close()
	require.NoError(t, json.NewDecoder(response.Body).Decode(&set))
	for _, key := range set.Properties.Profile.OS.Linux.SSH.Keys {
		assert.Equal(t, "/home/azureuser/.ssh/authorized_keys", key.Path)
		keys = append(keys, strings.TrimSpace(key.Data))
	}
	return keys
}

var orchestrationModes = []string{"Uniform", "Flexible"}

// TestOwnKey: no password and no key is configured anywhere. The key is made, gets into
// the model before the first increase and not sooner, beside the one that is there, lets
// the runner in, and survives the plugin.
func TestOwnKey(t *testing.T) {
	t.Parallel()
	for _, mode := range orchestrationModes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			_, others := newKey(t)
			s := launch.Simulator(t, armsim.Config{}, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, PublicKey: others})
			before := launch.WritesOf(s)
			o := startOwner(t, s, filepath.Join(t.TempDir(), "state", "id"))
			assert.Equal(t, before, launch.WritesOf(s), "Init changes nothing")
			o.grow(t, 2)
			writes := launch.WritesOf(s)
			for _, id := range o.await(t, 2) {
				require.NoError(t, o.run(t, id))
			}
			public, err := os.ReadFile(o.file + ".pub")
			require.NoError(t, err)
			keys := modelKeys(t, s)
			require.Len(t, keys, 2)
			assert.Equal(t, strings.TrimSpace(others), keys[0])
			assert.Contains(t, keys[1], strings.TrimSpace(string(public))+" fleeting-plugin-azure ")

			o.Kill(t)
			again := startOwner(t, s, o.file)
			again.grow(t, 1)
			assert.LessOrEqual(t, launch.WritesOf(s), writes+2, "the key is there: no more than a capacity and a tag")
			for _, id := range again.await(t, 3) {
				require.NoError(t, again.run(t, id))
			}
			assert.Equal(t, keys, modelKeys(t, s))
		})
	}
}

// TestOwnKeyIsRotated: the file is moved away while the plugin runs. What was made before
// stays reachable with what it was made with, and new instances refuse that; so it is
// after a restart.
func TestOwnKeyIsRotated(t *testing.T) {
	t.Parallel()
	for _, mode := range orchestrationModes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := launch.Simulator(t, armsim.Config{}, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode})
			o := startOwner(t, s, filepath.Join(t.TempDir(), "id"))
			o.grow(t, 1)
			old := o.await(t, 1)[0]
			require.NoError(t, os.Rename(o.file, o.file+".old"))
			o.grow(t, 1)
			ids := o.await(t, 2)
			for _, p := range []*owner{o, startOwner(t, s, o.file)} {
				infos := map[bool]provider.ConnectInfo{}
				for _, id := range ids {
					require.NoError(t, p.run(t, id))
					info, err := p.ConnectInfo(t.Context(), id)
					require.NoError(t, err)
					infos[id == old] = info
				}
				assert.NotEqual(t, infos[true].Key, infos[false].Key)
				swapped := infos[false]
				swapped.Key = infos[true].Key
				require.NoError(t, letIn(t, infos[false]))
				require.ErrorContains(t, letIn(t, swapped), "unable to authenticate", "a new instance refuses the earlier key")
			}
			assert.Len(t, modelKeys(t, s), 1, "the earlier key is no longer in the model")
		})
	}
}

// TestOwnKeysOfTwoManagers: each adds its key and keeps the other's, and an instance that
// was made before a key was there is told from one that has it.
func TestOwnKeysOfTwoManagers(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{}, armsim.ScaleSetSpec{Name: "ci"})
	first := startOwner(t, s, filepath.Join(t.TempDir(), "id"))
	first.grow(t, 1)
	old := first.await(t, 1)[0]
	second := startOwner(t, s, filepath.Join(t.TempDir(), "id"))
	second.grow(t, 1)
	assert.Len(t, modelKeys(t, s), 2)
	for _, id := range second.await(t, 2) {
		if id != old {
			require.NoError(t, second.run(t, id))
			require.NoError(t, first.run(t, id), "it has both keys")
			continue
		}
		require.NoError(t, first.run(t, id))
		_, err := second.ConnectInfo(t.Context(), id)
		require.ErrorContains(t, err, `connect to instance "`+id+`": it was made without a key that the plugin has, whose own is SHA256:`)
		assert.NotContains(t, err.Error(), "\n")
	}
}

// TestOwnKeyOfAnotherScaleSet: an instance refuses another set's key.
func TestOwnKeyOfAnotherScaleSet(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{}, armsim.ScaleSetSpec{Name: "ci"})
	other := launch.Simulator(t, armsim.Config{}, armsim.ScaleSetSpec{Name: "ci"})
	infos := []provider.ConnectInfo{}
	for _, s := range []*armsim.Server{s, other} {
		o := startOwner(t, s, filepath.Join(t.TempDir(), "id"))
		o.grow(t, 1)
		id := o.await(t, 1)[0]
		require.NoError(t, o.run(t, id))
		info, err := o.ConnectInfo(t.Context(), id)
		require.NoError(t, err)
		infos = append(infos, info)
	}
	require.NoError(t, letIn(t, infos[0]))
	infos[0].Key = infos[1].Key
	require.ErrorContains(t, letIn(t, infos[0]), "unable to authenticate")
}

// TestOwnKeyComesBack: somebody takes it out of the model, as terraform apply does.
func TestOwnKeyComesBack(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{}, armsim.ScaleSetSpec{Name: "ci"})
	o := startOwner(t, s, filepath.Join(t.TempDir(), "id"))
	o.grow(t, 1)
	keys := modelKeys(t, s)
	require.NoError(t, s.Do(t.Context(), http.MethodPatch, s.ScaleSetPath("ci"), "2025-04-01", map[string]any{"properties": map[string]any{
		"virtualMachineProfile": map[string]any{"osProfile": map[string]any{"linuxConfiguration": map[string]any{"ssh": map[string]any{"publicKeys": []any{}}}}},
	}}))
	require.Empty(t, modelKeys(t, s))
	o.grow(t, 1)
	assert.Equal(t, keys, modelKeys(t, s))
	for _, id := range o.await(t, 2) {
		require.NoError(t, o.run(t, id))
	}
}

// TestOwnKeyIsRefused where Azure does not let the keys of a scale set be changed.
func TestOwnKeyIsRefused(t *testing.T) {
	t.Parallel()
	_, others := newKey(t)
	s := launch.Simulator(t, armsim.Config{Unknowns: armsim.Unknowns{KeysFixed: true}}, armsim.ScaleSetSpec{Name: "ci", PublicKey: others})
	o := startOwner(t, s, filepath.Join(t.TempDir(), "id"))
	n, err := o.Increase(t.Context(), 3)
	assert.Zero(t, n)
	require.ErrorContains(t, err, "PropertyChangeNotAllowed")
	require.ErrorContains(t, err, "fix: Azure does not let the SSH public keys of this scale set be changed: create it again with the key in the .pub file beside ssh_key_file")
	assert.NotContains(t, err.Error(), "\n")
	assert.Zero(t, s.Stats().Capacity)
}

// TestOwnKeyFileIsRefused: others can read it, or it cannot be made.
func TestOwnKeyFileIsRefused(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci"})
	private, _ := newKey(t)
	readable, file := filepath.Join(t.TempDir(), "id"), filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(readable, private, 0o600))
	require.NoError(t, os.Chmod(readable, 0o644)) //nolint:gosec // that is refused
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for path, want := range map[string]string{
		readable:                  "can be read by every user of this machine (mode 0644); fix: chmod 600 " + readable,
		filepath.Join(file, "id"): "set ssh_key_file in plugin_config to ",
	} {
		config := launch.ConfigFor(s, "ci")
		config["ssh_key_file"] = path
		_, err := launch.Start(t, launch.EnvironmentOf(s), config).Init(t.Context(), hclog.NewNullLogger(), ownLogin(s))
		require.ErrorContains(t, err, "connector_config holds no password and no private key, and the plugin's own key: ssh_key_file "+path)
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "\n")
	}
}
