package probe_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"golang.org/x/crypto/ssh"

	azure "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armapi"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/probe"
)

// site is a scale set whose instances are real processes behind real SSH.
type site struct {
	*testing.T
	sim     *armsim.Server
	options probe.Options
	begun   []string
}

func newKey(t *testing.T) (private []byte, public string) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	return pem.EncodeToMemory(block), string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

func newSite(t *testing.T, c armsim.Config, mode string) *site {
	t.Helper()
	private, public := newKey(t)
	c.TimeScale = 10
	c.Boot.Median, c.Delete.Median = 100*time.Millisecond, 100*time.Millisecond
	sim := armsim.Start(t, c)
	_, err := sim.CreateScaleSet(t.Context(), armsim.ScaleSetSpec{Name: "ci", PublicKey: public, OrchestrationMode: mode})
	require.NoError(t, err)
	raw, err := json.Marshal(map[string]any{
		"name": "ci", "subscription_id": armsim.DefaultSubscriptionID, "resource_group_name": armsim.DefaultResourceGroup,
		"credential": "client_secret", "tenant_id": armsim.DefaultTenantID, "client_id": sim.Principal.ClientID, "client_secret_file": secretFile(t, sim),
		"cloud": map[string]string{"authority_host": sim.Endpoint + "/", "resource_manager_endpoint": sim.Endpoint, "resource_manager_audience": sim.Audience},
	})
	require.NoError(t, err)
	group := azure.New(armapi.Options{Transport: sim.Client()})
	require.NoError(t, group.UnmarshalJSON(raw))
	s := &site{T: t, sim: sim}
	s.options = probe.Options{
		Group: group, Docker: true, Poll: time.Second, Begin: func(title string) { s.begun = append(s.begun, title) },
		Settings: provider.Settings{ConnectorConfig: provider.ConnectorConfig{ProtocolPort: sim.SSHPort, Key: private, Timeout: 5 * time.Second}},
	}
	return s
}

func secretFile(t *testing.T, sim *armsim.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(sim.Principal.Secret), 0o600))
	return path
}

// program puts a shell script before the machine's own programs.
func program(t *testing.T, name, script string) []string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755)) //nolint:gosec // a program
	return []string{"PATH=" + dir + ":" + os.Getenv("PATH")}
}

// answering is a Docker client whose engine answers; others do not.
const answering = `[ "$*" = "system dial-stdio" ] && printf 'HTTP/1.1 200 OK\r\n\r\nOK'`

// last is the step that a probe ended with, before it removed the instance.
func (s *site) last(steps []probe.Step) probe.Step {
	s.Helper()
	require.NotEmpty(s, steps)
	last := steps[len(steps)-1]
	if last.Title == "remove the instance" && len(steps) > 1 {
		assert.Empty(s, last.Error)
		last = steps[len(steps)-2]
	}
	return last
}

// removed checks that nothing is left, at Azure and in the machine.
func (s *site) removed() {
	s.Helper()
	assert.Empty(s, s.sim.Instances())
	assert.Zero(s, s.sim.Stats().Machines)
}

// TestProbe runs all at once: the plugin looks for an instance that it deleted after 20
// seconds only, in which the machine has nothing to do.
func TestProbe(t *testing.T) {
	t.Parallel()
	all := map[string]func(*testing.T){"whole": probesAll, "interrupted": interrupted, "without Docker": withoutDocker, "over WinRM": logsInOverWinRM, "over the model's WinRM": logsInOverTheModelsWinRM}
	for name, c := range failures(t) {
		all[name] = c.run
	}
	var done sync.WaitGroup
	for name, run := range all {
		done.Go(func() { t.Run(name, run) })
	}
	done.Wait()
}

func probesAll(t *testing.T) {
	s := newSite(t, armsim.Config{MachineEnv: program(t, "docker", answering)}, "")
	steps, err := probe.Run(t.Context(), s.options)
	require.NoError(t, err)
	titles := []string{"read the scale set", "create an instance", "log in", "run a command", "wait for cloud-init", "ask Docker", "remove the instance"}
	require.Len(t, steps, len(titles))
	for n, step := range steps {
		assert.Equal(t, titles[n], step.Title)
		assert.Empty(t, step.Error+step.Fix)
		assert.Positive(t, step.Took)
	}
	assert.Equal(t, titles, s.begun)
	s.removed()
}

// logsInOverWinRM is all that is tried where instances have no SSH.
func logsInOverWinRM(t *testing.T) {
	s := newSite(t, armsim.Config{}, "")
	s.overWinRM(listen(t, true, func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "wrong" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	s.onlyLogsIn()
}

// logsInOverTheModelsWinRM is where the protocol is not configured: the plugin finds it in
// the scale set's model.
func logsInOverTheModelsWinRM(t *testing.T) {
	s := newSite(t, armsim.Config{}, "")
	s.options.Group = withWinRM{s.options.Group, listen(t, false, func(http.ResponseWriter, *http.Request) {})}
	s.onlyLogsIn()
}

type withWinRM struct {
	provider.InstanceGroup
	port int
}

func (g withWinRM) ConnectInfo(ctx context.Context, id string) (provider.ConnectInfo, error) {
	info, err := g.InstanceGroup.ConnectInfo(ctx, id)
	info.Protocol, info.ProtocolPort = provider.ProtocolWinRM, g.port
	return info, err
}

func (s *site) onlyLogsIn() {
	s.Helper()
	t := s.T
	steps, err := probe.Run(t.Context(), s.options)
	require.NoError(t, err)
	require.Len(t, steps, 4)
	assert.Equal(t, []string{"read the scale set", "create an instance", "log in", "remove the instance"}, s.begun)
	s.removed()
}

// failure is a step that fails, with what it says and how that is mended.
type failure struct {
	config           armsim.Config
	mode             string // empty: Uniform
	faults           []armsim.Fault
	change           func(*site)
	title, text, fix string
}

func (f failure) run(t *testing.T) {
	s := newSite(t, f.config, f.mode)
	require.NoError(t, s.sim.AddFaults(f.faults...))
	if f.change != nil {
		f.change(s)
	}
	steps, err := probe.Run(t.Context(), s.options)
	require.Error(t, err)
	last := s.last(steps)
	assert.Equal(t, f.title, last.Title)
	assert.Contains(t, last.Error, f.text)
	assert.NotEmpty(t, last.Fix)
	assert.Contains(t, last.Fix, f.fix)
	assert.NotContains(t, last.Error, "\n")
	assert.NotContains(t, last.Error, s.sim.Principal.Secret)
	t.Log(last.Error, "| fix:", last.Fix)
}

func failures(t *testing.T) map[string]failure {
	return map[string]failure{
		"cannot sign in": {
			faults: []armsim.Fault{{Operation: "Token", Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: http.StatusUnauthorized, Code: "invalid_client"}}}},
			title:  "read the scale set", text: "AADSTS", fix: "check credential and the keys that go with it",
		},
		"in use": {
			change: func(s *site) { require.NoError(s, s.sim.Raise("ci", 1)) },
			title:  "read the scale set", text: "it has 1 instances already", fix: "stop the runner, and wait until they are gone",
		},
		"refused key": {
			change: func(s *site) { s.options.Settings.Key, _ = newKey(s.T) },
			title:  "log in", text: `refuses the login of "azureuser": ssh: handshake failed: ssh: unable to authenticate`, fix: "doctor tells whether key_path is a key of the scale set's model",
		},
		"refused": {
			faults: []armsim.Fault{{Operation: armops.UpdateScaleSet, CapacityAbove: 0, Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: http.StatusConflict, Code: "OperationNotAllowed", Message: "Operation could not be completed as it results in exceeding approved standardDSv5Family Cores quota."}}}},
			title:  "create an instance", text: "OperationNotAllowed (409)", fix: "request more vCPUs",
		},
		"not made": {
			mode:   "Flexible", // whose lists do not keep what could not be made: Uniform is believed after 90 seconds
			faults: []armsim.Fault{{Operation: "instance.create", Effect: armsim.Effect{Absent: &armsim.Failure{Code: "AllocationFailed", Message: "no room"}}}},
			title:  "create an instance", text: "Azure accepted the instance, and did not make it", fix: "activity log",
		},
		"does not come up": {
			faults: []armsim.Fault{{Operation: "instance.create", Effect: armsim.Effect{Slow: 1e6}}},
			change: func(s *site) { s.options.Limit = 3 * time.Second },
			title:  "create an instance", text: "it did not come up within 3s",
		},
		"no address": {
			faults: []armsim.Fault{{Operation: armops.ListInterfaces, Effect: armsim.Effect{List: armsim.ListEmpty}}},
			change: func(s *site) { s.options.Limit = 5 * time.Second },
			title:  "create an instance", text: "it did not come up within 5s",
		},
		"not reachable": {
			change: func(s *site) { s.options.Limit, s.options.Settings.ProtocolPort = 5*time.Second, 1 },
			title:  "log in", text: ":1 cannot be reached: ", fix: "the network security group must let it in at port 1",
		},
		"no WinRM": {
			change: func(s *site) {
				s.options.Limit = 5 * time.Second
				s.overWinRM(1)
			},
			title: "log in", text: ":1 cannot be reached: ", fix: "the network security group must let it in at port 1",
		},
		"WinRM refuses the password": {
			change: func(s *site) {
				s.overWinRM(listen(s.T, true, func(w http.ResponseWriter, r *http.Request) {
					if _, password, _ := r.BasicAuth(); r.URL.Path != "/wsman" || password != "right" {
						w.WriteHeader(http.StatusUnauthorized)
					}
				}))
			},
			title: "log in", text: `refuses the login of "azureuser": 401 Unauthorized`, fix: "WinRM must take Basic authentication",
		},
		"WinRM without TLS": {
			change: func(s *site) { s.overWinRM(listen(s.T, false, http.NotFound)) },
			title:  "log in", text: "does not speak winrm+https: tls: first record does not look like a TLS handshake", fix: "protocol must be what the image listens to",
		},
		"cloud-init fails": {
			config: armsim.Config{MachineEnv: program(t, "cloud-init", "echo broken >&2; exit 1")},
			title:  "wait for cloud-init", text: "broken", fix: "/var/log/cloud-init-output.log",
		},
		"no Docker": {
			config: armsim.Config{MachineEnv: program(t, "docker", "echo 'docker: not found' >&2; exit 127")},
			title:  "ask Docker", text: "docker: not found", fix: "setup's cloud-init sees to both",
		},
		"Docker does not answer": {
			config: armsim.Config{MachineEnv: program(t, "docker", "echo permission denied")},
			title:  "ask Docker", text: `docker system dial-stdio answered "permission denied`, fix: "the user must be in the group docker",
		},
	}
}

// overWinRM has the probe log in over HTTPS with a wrong password.
func (s *site) overWinRM(port int) {
	c := &s.options.Settings.ConnectorConfig
	c.Protocol, c.ProtocolPort, c.Username, c.Password, c.Key = provider.ProtocolWinRMHttps, port, "azureuser", "wrong", nil
}

// listen serves at all addresses of this machine, and so at those of instances.
func listen(t *testing.T, overTLS bool, handler http.HandlerFunc) (port int) {
	t.Helper()
	listener, err := net.Listen("tcp", ":0") //nolint:gosec // instances have addresses of their own
	require.NoError(t, err)
	s := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}}
	if overTLS {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return listener.Addr().(*net.TCPAddr).Port
}

// interrupted: Ctrl-C removes the instance, too.
func interrupted(t *testing.T) {
	s := newSite(t, armsim.Config{}, "")
	ctx, cancel := context.WithCancel(t.Context())
	s.options.Begin = func(title string) {
		if title == "run a command" {
			cancel()
		}
	}
	steps, err := probe.Run(ctx, s.options)
	require.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, "run a command", s.last(steps).Title)
	s.removed()
}

// withoutDocker: the executor instance asks for none.
func withoutDocker(t *testing.T) {
	s := newSite(t, armsim.Config{MachineEnv: program(t, "docker", "exit 1")}, "")
	s.options.Docker = false
	steps, err := probe.Run(t.Context(), s.options)
	require.NoError(t, err)
	assert.Equal(t, "wait for cloud-init", s.last(steps).Title)
	s.removed()
}
