package azure

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// privateKey makes an OpenSSH private key, behind a passphrase if there is one.
func privateKey(t *testing.T, passphrase string) []byte {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "test")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "test", []byte(passphrase))
	}
	require.NoError(t, err)
	return pem.EncodeToMemory(block)
}

func scaleSet(os string) vmss.ScaleSet {
	login := vmss.Login{AdminUsername: "admin", WinRM: vmss.WinRM{HTTP: os == "Windows"}}
	return vmss.ScaleSet{Name: "ci", Size: "Standard_D4ps_v5", Model: vmss.Model{OSType: os, Login: login}}
}

func connect(t *testing.T, c provider.ConnectorConfig, set vmss.ScaleSet) (provider.Settings, string, error) {
	t.Helper()
	var log bytes.Buffer
	s, err := connectorSettings(provider.Settings{ConnectorConfig: c}, set)
	if err == nil {
		warnLogin(s, set, hclog.New(&hclog.LoggerOptions{Output: &log}))
	}
	return s, log.String(), err
}

func TestConnectorFilledFromTheModel(t *testing.T) {
	key := privateKey(t, "")
	for _, c := range []struct {
		given provider.ConnectorConfig
		os    string
		want  provider.ConnectorConfig
	}{
		{provider.ConnectorConfig{Key: key}, "Linux",
			provider.ConnectorConfig{Key: key, OS: "linux", Arch: "arm64", Protocol: provider.ProtocolSSH, Username: "admin"}},
		{provider.ConnectorConfig{Password: "p"}, "Windows",
			provider.ConnectorConfig{Password: "p", OS: "windows", Arch: "arm64", Protocol: provider.ProtocolWinRM, Username: "admin"}},
		{provider.ConnectorConfig{Key: key, OS: "windows", Arch: "amd64", Protocol: provider.ProtocolSSH, Username: "me"}, "Linux",
			provider.ConnectorConfig{Key: key, OS: "windows", Arch: "amd64", Protocol: provider.ProtocolSSH, Username: "me"}},
		{provider.ConnectorConfig{Key: key}, "Windows",
			provider.ConnectorConfig{Key: key, OS: "windows", Arch: "arm64", Protocol: provider.ProtocolSSH, Username: "admin"}},
		{provider.ConnectorConfig{Password: "p", Key: []byte("not for WinRM"), Protocol: provider.ProtocolWinRMHttps}, "Linux",
			provider.ConnectorConfig{Password: "p", Key: []byte("not for WinRM"), OS: "linux", Arch: "arm64", Protocol: provider.ProtocolWinRMHttps, Username: "admin"}},
	} {
		s, _, err := connect(t, c.given, scaleSet(c.os))
		require.NoError(t, err)
		assert.Equal(t, c.want, s.ConnectorConfig)
	}
}

func TestConnectorRefuses(t *testing.T) {
	nobody := scaleSet("Linux")
	nobody.Model.Login.AdminUsername = ""
	const garbage = "hunter2-is-the-secret"
	for name, c := range map[string]struct {
		given provider.ConnectorConfig
		set   vmss.ScaleSet
		want  string
	}{
		"no user":         {provider.ConnectorConfig{Password: "p"}, nobody, "fix: set username"},
		"nothing":         {provider.ConnectorConfig{}, nobody, "has no admin user to whom Azure would give the plugin's own key; fix: set key_path"},
		"another user":    {provider.ConnectorConfig{Username: "root"}, scaleSet("Linux"), `the plugin's own key to the admin user "admin", not to "root"; fix: leave username out`},
		"nothing, WinRM":  {provider.ConnectorConfig{}, scaleSet("Windows"), "no password or private key is configured"},
		"key for WinRM":   {provider.ConnectorConfig{Key: []byte(garbage), Protocol: provider.ProtocolWinRM}, scaleSet("Windows"), `protocol "winrm" logs in with a password, and none is configured; fix: set password`},
		"passphrase":      {provider.ConnectorConfig{Key: privateKey(t, "hunter2-is-the-secret")}, scaleSet("Linux"), "fix: use a key without a passphrase"},
		"garbage":         {provider.ConnectorConfig{Key: []byte(garbage)}, scaleSet("Linux"), "is not an SSH private key; fix: name the private half"},
		"garbage in PEM":  {provider.ConnectorConfig{Key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(garbage)})}, scaleSet("Linux"), "is not an SSH private key"},
		"the public half": {provider.ConnectorConfig{Key: []byte("ssh-ed25519 " + garbage)}, scaleSet("Linux"), "is not an SSH private key"},
	} {
		_, log, err := connect(t, c.given, c.set)
		require.ErrorContains(t, err, "connector_config: ", name)
		assert.ErrorContains(t, err, c.want, name)
		assert.NotContains(t, err.Error()+log, "hunter2", name)
		assert.NotContains(t, err.Error(), "\n", name)
		// With it fleeting refuses a connector_config without username (the
		// options' validation), which is what the model is for.
		assert.NotContains(t, err.Error(), "use_static_credentials", name)
	}
}

// TestCase12WinRMListeners: the protocol is that of the model's listener, and where it
// has none, the image's must be named.
func TestCase12WinRMListeners(t *testing.T) {
	for name, c := range map[string]struct {
		listeners vmss.WinRM
		given     provider.Protocol
		want      provider.Protocol
		warning   string
	}{
		"https":           {vmss.WinRM{HTTPS: true}, "", provider.ProtocolWinRMHttps, ""},
		"http":            {vmss.WinRM{HTTP: true}, "", provider.ProtocolWinRM, ""},
		"both":            {vmss.WinRM{HTTP: true, HTTPS: true}, "", provider.ProtocolWinRMHttps, ""},
		"http of both":    {vmss.WinRM{HTTP: true, HTTPS: true}, provider.ProtocolWinRM, provider.ProtocolWinRM, ""},
		"the other":       {vmss.WinRM{HTTPS: true}, provider.ProtocolWinRM, provider.ProtocolWinRM, "leave protocol out"},
		"the other again": {vmss.WinRM{HTTP: true}, provider.ProtocolWinRMHttps, provider.ProtocolWinRMHttps, "leave protocol out"},
		"the image's":     {vmss.WinRM{}, provider.ProtocolWinRM, provider.ProtocolWinRM, "listener of its own"},
	} {
		set := scaleSet("Windows")
		set.Model.Login.WinRM = c.listeners
		s, log, err := connect(t, provider.ConnectorConfig{Password: "hunter2", Protocol: c.given}, set)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, s.Protocol, name)
		assert.NoError(t, s.Protocol.Valid())
		assert.Equal(t, c.warning != "", strings.Contains(log, "[WARN]"), name)
		assert.Contains(t, log, c.warning, name)
	}
	none := scaleSet("Windows")
	none.Model.Login.WinRM = vmss.WinRM{}
	_, _, err := connect(t, provider.ConnectorConfig{Password: "hunter2"}, none)
	require.ErrorContains(t, err, "the scale set's model has no WinRM listener, and no protocol is configured; fix: create the scale set with a listener")
	s, _, err := connect(t, provider.ConnectorConfig{Key: privateKey(t, "")}, none)
	require.NoError(t, err)
	assert.Equal(t, provider.ProtocolSSH, s.Protocol)
}

// TestCase13OtherKey warns of a key that is not the model's. The image may have it,
// so it is no refusal.
func TestCase13OtherKey(t *testing.T) {
	public := func(key []byte) string {
		signer, err := ssh.ParsePrivateKey(key)
		require.NoError(t, err)
		return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	}
	own, other, third := privateKey(t, ""), privateKey(t, ""), privateKey(t, "")
	for name, c := range map[string]struct {
		user  string
		model []string
		warns bool
	}{
		"the model's":   {"", []string{public(own) + " me@host"}, false},
		"one of two":    {"", []string{public(other), public(own)}, false},
		"another":       {"", []string{public(other) + " me@host", public(third)}, true},
		"no key":        {"", nil, false}, // preflight warns of it
		"unreadable":    {"", []string{"", "ssh-rsa garbage"}, false},
		"not the admin": {"root", []string{public(other)}, false},
	} {
		set := scaleSet("Linux")
		for _, line := range c.model {
			set.Model.Login.PublicKeys = append(set.Model.Login.PublicKeys, vmss.PublicKey{Data: line})
		}
		_, log, err := connect(t, provider.ConnectorConfig{Key: own, Username: c.user}, set)
		require.NoError(t, err, name)
		assert.Equal(t, c.warns, strings.Contains(log, "not among the SSH keys of the scale set's model"), name)
		if c.warns {
			signer, err := ssh.ParsePrivateKey(own)
			require.NoError(t, err)
			assert.Contains(t, log, ssh.FingerprintSHA256(signer.PublicKey()))
			assert.Contains(t, log, "name the private half of a key in the model")
		}
	}
}

// TestConnectorEmptyPassword is taken as fleeting takes it: with a warning there.
func TestConnectorEmptyPassword(t *testing.T) {
	s, _, err := connect(t, provider.ConnectorConfig{UseStaticCredentials: true}, scaleSet("Linux"))
	require.NoError(t, err)
	assert.Empty(t, s.Password)
}

func TestConnectorWarnings(t *testing.T) {
	key := privateKey(t, "")
	locked := scaleSet("Linux")
	locked.Model.Login.PasswordDisabled = true
	for name, c := range map[string]struct {
		given provider.ConnectorConfig
		want  string
	}{
		"sound":        {provider.ConnectorConfig{Key: key}, ""},
		"same user":    {provider.ConnectorConfig{Key: key, Username: "admin"}, ""},
		"another user": {provider.ConnectorConfig{Key: key, Username: "root"}, `log in as \"admin\"`},
		"no key":       {provider.ConnectorConfig{Password: "hunter2"}, "set key_path"},
	} {
		_, log, err := connect(t, c.given, locked)
		require.NoError(t, err, name)
		assert.Contains(t, log, c.want, name)
		assert.Equal(t, c.want != "", strings.Contains(log, "[WARN]"), name)
		assert.NotContains(t, log, "hunter2", name)
	}
}

// TestArchitectureOfAMix: its SKU has a name that is no size.
func TestArchitectureOfAMix(t *testing.T) {
	set := vmss.ScaleSet{Size: "Mix", Sizes: []string{"Standard_D2ps_v5", "Standard_D4ps_v5"}}
	assert.Equal(t, "arm64", architecture(sizeOf(set)))
	set.Sizes = nil
	assert.Equal(t, "amd64", architecture(sizeOf(set)))
}

// TestArchitecture follows Microsoft's naming: a p after the number of vCPUs.
func TestArchitecture(t *testing.T) {
	for size, want := range map[string]string{
		"Standard_D4ps_v5": "arm64", "Standard_D2pls_v5": "arm64", "Standard_D2plds_v6": "arm64",
		"Standard_E4pds_v5": "arm64", "Standard_B2pts_v2": "arm64", "standard_D4ps_v5": "arm64",
		"Standard_D16pds_v5": "arm64", "Standard_E8-4ps_v6": "arm64",
		"Standard_D4s_v5": "amd64", "Standard_NP10s": "amd64", "Standard_DS2_v2_Promo": "amd64",
		"Standard_B1ls": "amd64", "Standard_E4-2ads_v5": "amd64", "Standard_NC24ads_A100_v4": "amd64",
		"Standard_ND96isr_H100_v5": "amd64", "Standard_F2s_v2": "amd64", "Basic_A0": "amd64", "": "amd64",
	} {
		assert.Equal(t, want, architecture(size), size)
	}
}
