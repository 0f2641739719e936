package binary_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
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

// newKey makes a key pair: the private half as a PEM file holds it, the public
// one as authorized_keys does.
func newKey(t *testing.T) (private []byte, public string) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(priv, "test")
	require.NoError(t, err)
	authorized, err := ssh.NewPublicKey(pub)
	require.NoError(t, err)
	return pem.EncodeToMemory(block), string(ssh.MarshalAuthorizedKey(authorized))
}

type connection struct {
	spec    armsim.ScaleSetSpec
	login   provider.ConnectorConfig
	outside bool // connects to the public address
	user    string
	arch    string
}

func connections(t *testing.T) map[string]connection {
	key, public := newKey(t)
	const password = "Correct-Horse-1"
	static := provider.ConnectorConfig{Username: "runner", Password: password, UseStaticCredentials: true}
	return map[string]connection{
		"key, user of the model": {armsim.ScaleSetSpec{PublicKey: public}, provider.ConnectorConfig{Key: key}, false, "azureuser", "amd64"},
		"key, user given": {
			armsim.ScaleSetSpec{PublicKey: public, AdminUsername: "runner", PublicAddress: true},
			provider.ConnectorConfig{Key: key, Username: "runner", UseStaticCredentials: true}, true, "runner", "amd64",
		},
		"password":                   {armsim.ScaleSetSpec{AdminUsername: "runner", AdminPassword: password}, static, false, "runner", "amd64"},
		"password from outside":      {armsim.ScaleSetSpec{AdminUsername: "runner", AdminPassword: password, PublicAddress: true}, static, true, "runner", "amd64"},
		"Arm":                        {armsim.ScaleSetSpec{PublicKey: public, Size: "Standard_D4ps_v5"}, provider.ConnectorConfig{Key: key}, false, "azureuser", "arm64"},
		"what the user says, counts": {armsim.ScaleSetSpec{PublicKey: public}, provider.ConnectorConfig{Key: key, Arch: "riscv64", OS: "plan9"}, false, "azureuser", "riscv64"},
	}
}

func TestConnect(t *testing.T) {
	t.Parallel()
	for name, c := range connections(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}

func (c connection) check(t *testing.T) {
	c.spec.Name, c.spec.Capacity = "ci", 1
	s := launch.Simulator(t, armsim.Config{}, c.spec)
	p := launch.Start(t, launch.EnvironmentOf(s), launch.ConfigFor(s, "ci"))
	c.login.ProtocolPort, c.login.Timeout, c.login.Keepalive = s.SSHPort, launch.Patience, time.Second
	_, err := p.Init(t.Context(), hclog.NewNullLogger(), provider.Settings{ConnectorConfig: c.login})
	require.NoError(t, err)
	id := p.AwaitRunning(t, 1)[0]
	info, err := p.ConnectInfo(t.Context(), id)
	require.NoError(t, err)
	there := s.Instances()[0]
	assert.Equal(t, id, info.ID)
	assert.Equal(t, there.PrivateAddress, info.InternalAddr)
	assert.Equal(t, there.PublicAddress, info.ExternalAddr)
	assert.Equal(t, c.outside, info.ExternalAddr != "")
	assert.Equal(t, c.user, info.Username)
	assert.Equal(t, c.arch, info.Arch)
	if c.login.OS == "" {
		assert.Equal(t, "linux", info.OS)
	}
	assert.Equal(t, provider.ProtocolSSH, info.Protocol)
	assert.Nil(t, info.Expires)

	var out bytes.Buffer
	require.NoError(t, connector.Run(t.Context(), info, connector.ConnectorOptions{
		RunOptions:  connector.RunOptions{Command: "echo $ARMSIM_VM_ID $USER", Stdout: &out},
		DialOptions: connector.DialOptions{UseExternalAddr: c.outside},
	}))
	assert.Equal(t, there.VMID+" "+c.user+"\n", out.String())
	for _, hidden := range []string{c.login.Password, base64.StdEncoding.EncodeToString(c.login.Key)} {
		if hidden != "" {
			assert.NotContains(t, p.Log.String(), hidden)
		}
	}
}

func TestConnectToNobody(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	p := launch.Open(t, s)
	_, err := p.ConnectInfo(t.Context(), "ci_99-01234567")
	require.ErrorContains(t, err, `instance "ci_99-01234567": it no longer exists`)
	id := p.AwaitRunning(t, 1)[0]
	_, err = p.Decrease(t.Context(), []string{id})
	require.NoError(t, err)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err = p.ConnectInfo(t.Context(), id)
		assert.ErrorContains(c, err, "it no longer exists")
		_, err := p.States(t)
		assert.NoError(c, err)
	}, launch.Patience, launch.Tick)
	require.ErrorContains(t, p.Heartbeat(t.Context(), id), "it no longer exists")
}
