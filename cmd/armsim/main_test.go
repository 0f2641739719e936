package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

func TestHelp(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(binary, "--help").Output()
	require.NoError(t, err)
	for _, want := range []string{"armsim is a simulator", "-scale-set", "-watch-stdin", "-model", `"# ready"`} {
		assert.Contains(t, string(out), want)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		return file
	}
	broken, refused := write("broken.json", `{"sku":`), write("refused.json", `{"location":"x"}`)
	key := write("key.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag":        {[]string{"--nonsense"}, "-nonsense"},
		"no number":           {[]string{"--seed", "x"}, `invalid value "x"`},
		"argument":            {[]string{"--polite", "extra"}, `unexpected argument "extra"`},
		"capacity of nothing": {[]string{"--capacity", "2"}, "--capacity needs --scale-set"},
		"no port":             {[]string{"--ssh-port", "65536"}, "--ssh-port 65536: it must be 0 to 65535"},
		"no page":             {[]string{"--page-size", "-1"}, "page size -1: it must be 1 or more"},
		"model of nothing":    {[]string{"--model", refused}, "--model needs --scale-set"},
		"no model file":       {[]string{"--scale-set", "ci", "--model", filepath.Join(dir, "none")}, "--model: open"},
		"model is no JSON":    {[]string{"--scale-set", "ci", "--model", broken}, "unexpected end of JSON"},
		"model is refused":    {[]string{"--scale-set", "ci", "--model", refused}, "Required parameter 'properties'"},
		"no key file":         {[]string{"--scale-set", "ci", "--ssh-public-key-file", filepath.Join(dir, "none")}, "--ssh-public-key-file: open"},
		"key is refused":      {[]string{"--scale-set", "ci", "--ssh-public-key-file", write("short.pub", "x")}, "keyData"},
		"more than the quota": {[]string{"--scale-set", "ci", "--capacity", "2", "--core-quota", "1"}, "OperationNotAllowed"},
		"no catalogue file":   {[]string{"--catalog", filepath.Join(dir, "none")}, "-catalog: open"},
		"unknown in it":       {[]string{"--catalog", write("catalog.json", `{"sises":[]}`)}, `unknown field "sises"`},
		"impossible change":   {[]string{"--catalog", write("change.json", `{"quotas":{"x":1}}`)}, `change catalogue: quota "x"`},
		"unknown size":        {[]string{"--scale-set", "ci", "--size", "Standard_X"}, "The value Standard_X provided for the VM size is not valid"},
		"unknown unknown":     {[]string{"--unknown", "keys-fixed,x"}, "flexible-delete-keeps-capacity"},
		"no faults file":      {[]string{"--faults", filepath.Join(dir, "none")}, "--faults: open"},
		"unknown in a fault":  {[]string{"--faults", write("unknown.json", `{"faults":[{"delay":"1s","wen":"now"}]}`)}, `unknown field "wen"`},
		"impossible fault":    {[]string{"--faults", write("none.json", `{"faults":[{"name":"x"}]}`)}, "add fault 1: it has no effect"},
		"impossible event":    {[]string{"--faults", write("event.json", `{"events":[{"do":"hug"}]}`)}, `add event 1: do "hug"`},
		"parallel writes":     {[]string{"--parallel-writes", "never"}, "known: queue, conflict, preempt"},
		"no provider":         {[]string{"--newest-api-version", "2020-06-01"}, "it must be PROVIDER=DATE"},
		"unknown provider":    {[]string{"--newest-api-version", "Microsoft.Web=2020-06-01"}, "no such provider is simulated"},
		"eviction policy":     {[]string{"--scale-set", "ci", "--spot", "Keep"}, "evictionPolicy"},
		"nameless variable":   {[]string{"--machine-env", "DOCKER_HOST"}, `environment entry "DOCKER_HOST" is not of the form KEY=value`},
		"over the limit":      {[]string{"--scale-set", "ci", "--capacity", "1001", "--ssh-public-key-file", key}, "out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			cmd := exec.Command(binary, append(c.args, "--no-machines", "--watch-stdin")...)
			cmd.Stderr = &stderr
			err := cmd.Run()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "armsim started")
			assert.Equal(t, 1, exit.ExitCode())
			assert.Contains(t, stderr.String(), c.want)
			assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), "an error is one line: %s", &stderr)
		})
	}
}

func TestItEndsOnASignal(t *testing.T) {
	t.Parallel()
	p := launch(t, "--no-machines")
	require.FileExists(t, p.env["SSL_CERT_FILE"])
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.cmd.Wait())
	assert.NoFileExists(t, p.env["SSL_CERT_FILE"])
}

func TestFlexibleSpotInZones(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{
		"--scale-set", "ci", "--orchestration-mode", "Flexible", "--spot", "Delete", "--zones", "1,2", "--capacity", "3", "--no-machines",
		"--boot", "1ms", "--evict-every", "20ms", "--evict-max", "2", "--unknown", "keys-fixed,dead-ids-ignored",
	}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, armsim.Unknowns{KeysFixed: true, DeadIDsIgnored: true}, o.config.Unknowns)
	s := armsim.Start(t, o.config)
	_, err = o.create(t.Context(), s)
	require.NoError(t, err)
	for _, i := range s.Instances() {
		assert.Equal(t, "Flexible", i.Mode)
		assert.Equal(t, "Spot", i.Priority)
		assert.NotEmpty(t, i.Zone)
	}
	require.Eventually(t, func() bool { return s.Stats().Evicted == 2 && s.Stats().Capacity == 1 }, 20*time.Second, 5*time.Millisecond)
}

// TestAnOlderCloudWithIdentities: the scale set is made with a version that the
// cloud has.
func TestAnOlderCloudWithIdentities(t *testing.T) {
	t.Parallel()
	p := launch(t, "--no-machines", "--scale-set", "ci", "--newest-api-version", "Microsoft.Compute=2020-06-01", "--identity", "one", "--identity", "two")
	response, err := http.Get(p.env["ARMSIM_METADATA"] + "/metadata/identity/oauth2/token")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusBadRequest, response.StatusCode)
	assert.Equal(t, p.env["ARMSIM_METADATA"], p.env["AZURE_POD_IDENTITY_AUTHORITY_HOST"])
	o, err := parse([]string{"--newest-api-version", "A=b", "--newest-api-version", "C=d", "--identity", "one",
		"--empty", "--not-registered", "A,B", "--principal-delay", "1m", "--check-references", "--metadata-service"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"A": "b", "C": "d"}, o.config.NewestAPIVersion)
	assert.Equal(t, []armsim.Identity{{ClientID: "one"}}, o.config.Identities)
	assert.Equal(t, armsim.Subscription{Empty: true, NotRegistered: []string{"A", "B"}, PrincipalDelay: time.Minute, CheckReferences: true}, o.config.Subscription)
	assert.True(t, o.config.MetadataService)
}

// TestItTakesItsMachinesAlong: the simulator whose parent is gone ends, and
// leaves no process behind.
func TestItTakesItsMachinesAlong(t *testing.T) {
	t.Parallel()
	if err := machine.Supported(); err != nil {
		t.Skip(err)
	}
	p := launch(t, "--scale-set", "ci", "--capacity", "1", "--boot", "10ms")
	address := p.address(t)
	pid := p.runForEver(t, address)
	require.NoError(t, alive(pid))
	require.NoError(t, p.stdin.Close())
	require.NoError(t, p.cmd.Wait(), p.stderr)
	require.Eventually(t, func() bool { return alive(pid) != nil }, 20*time.Second, 5*time.Millisecond)
	assert.NoFileExists(t, p.env["ARMSIM_SSH_KEY_FILE"])
}

func alive(pid int) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return process.Signal(syscall.Signal(0))
}

// runForEver starts a command on the machine and returns its process ID.
func (p *process) runForEver(t *testing.T, address string) int {
	t.Helper()
	raw, err := os.ReadFile(p.env["ARMSIM_SSH_KEY_FILE"])
	require.NoError(t, err)
	key, err := ssh.ParsePrivateKey(raw)
	require.NoError(t, err)
	client, err := ssh.Dial("tcp", net.JoinHostPort(address, p.env["ARMSIM_SSH_PORT"]), &ssh.ClientConfig{
		User: "azureuser", Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	session, err := client.NewSession()
	require.NoError(t, err)
	out, err := session.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, session.Start("echo $$; exec sleep 1000"))
	line := make([]byte, 32)
	n, err := out.Read(line)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
	require.NoError(t, err)
	return pid
}
