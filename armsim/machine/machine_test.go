package machine_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
	"golang.org/x/crypto/ssh"
)

func TestNewRefusesWrongConfig(t *testing.T) {
	good := machine.Config{
		Name: "vm", Addresses: []netip.Addr{netip.MustParseAddr("127.77.0.9")},
		Port: 2222, User: "u", AuthorizedKeys: []string{authorized(newSigner(t))},
	}
	two := authorized(newSigner(t)) + authorized(newSigner(t))
	outside := netip.MustParseAddr("192.0.2.1")
	tests := map[string]struct {
		spoil func(*machine.Config)
		want  string
	}{
		"empty name":      {func(c *machine.Config) { c.Name = "" }, "the name may hold only"},
		"name with slash": {func(c *machine.Config) { c.Name = "a/b" }, "the name may hold only"},
		"no user":         {func(c *machine.Config) { c.User = "" }, "no user"},
		"no port":         {func(c *machine.Config) { c.Port = 0 }, "port 0"},
		"high port":       {func(c *machine.Config) { c.Port = 65536 }, "port 65536"},
		"no address":      {func(c *machine.Config) { c.Addresses = nil }, "no address"},
		"zero address":    {func(c *machine.Config) { c.Addresses = []netip.Addr{{}} }, "not a loopback"},
		"not loopback":    {func(c *machine.Config) { c.Addresses = []netip.Addr{outside} }, "192.0.2.1 is not a loopback"},
		"address twice": {func(c *machine.Config) {
			c.Addresses = append(c.Addresses[:1:1], c.Addresses[0])
		}, "given twice"},
		"bad key":         {func(c *machine.Config) { c.AuthorizedKeys = []string{"ssh-rsa !"} }, "authorized key 1"},
		"two keys":        {func(c *machine.Config) { c.AuthorizedKeys = []string{two} }, "more than one line"},
		"bad env":         {func(c *machine.Config) { c.Env = []string{"A"} }, `"A" is not of the form`},
		"env without key": {func(c *machine.Config) { c.Env = []string{"=a"} }, `"=a" is not of the form`},
		"no parent":       {func(c *machine.Config) { c.ParentDir = filepath.Join(c.ParentDir, "missing") }, "no such file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cfg := good
			cfg.ParentDir = t.TempDir()
			tt.spoil(&cfg)
			_, err := machine.New(cfg)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestDirectoryIsPrivate(t *testing.T) {
	s := newSite(t)
	m, err := machine.New(s.config("vm"))
	require.NoError(t, err)
	defer m.Destroy()

	info, err := os.Stat(m.Dir())
	require.NoError(t, err)
	assert.Equal(t, os.ModeDir|0o700, info.Mode())
	assert.False(t, m.Running())
}

func TestBootTwiceIsOnce(t *testing.T) {
	h := bootOne(t)
	require.NoError(t, h.Boot())
	assert.True(t, h.Running())
}

func TestBootNamesTheAddressInUse(t *testing.T) {
	s := newSite(t)
	cfg := s.config("vm")
	cfg.Addresses = append(cfg.Addresses, s.config("other").Addresses...)
	taken := net.JoinHostPort(cfg.Addresses[1].String(), strconv.Itoa(cfg.Port))
	l, err := net.Listen("tcp", taken)
	require.NoError(t, err)

	m, err := machine.New(cfg)
	require.NoError(t, err)
	defer m.Destroy()
	require.ErrorContains(t, m.Boot(), taken)
	assert.False(t, m.Running())

	require.NoError(t, l.Close())
	require.NoError(t, m.Boot(), "the first address was given back")
}

func TestEveryAddressAnswers(t *testing.T) {
	s := newSite(t)
	cfg := s.config("vm")
	cfg.Addresses = append(cfg.Addresses, s.config("other").Addresses...)
	h := s.boot(cfg)
	for i := range cfg.Addresses {
		client, err := dial(h.address(i), cfg.User, ssh.PublicKeys(s.signer))
		require.NoError(t, err)
		require.NoError(t, client.Close())
	}
}

func TestMachinesShareAPortAndNothingElse(t *testing.T) {
	s := newSite(t)
	first, second := s.boot(s.config("first")), s.boot(s.config("second"))
	assert.Equal(t, first.Dir()+"\n", first.output("pwd -P"))
	assert.Equal(t, second.Dir()+"\n", second.output("pwd -P"))
	assert.NotEqual(t, first.Dir(), second.Dir())

	first.PowerOff()
	assert.Equal(t, "second\n", second.output("echo $HOSTNAME"))
}

func TestRebootKeepsFilesAndHostKey(t *testing.T) {
	s := newSite(t)
	h := s.boot(s.config("vm"))
	h.output("echo kept > file")
	key := hostKey(t, h)
	h.PowerOff()
	h.PowerOff()
	assert.False(t, h.Running())
	_, err := net.Dial("tcp", h.address(0))
	require.Error(t, err)

	require.NoError(t, h.Boot())
	assert.Equal(t, "kept\n", h.output("cat file"))
	assert.Equal(t, key, hostKey(t, h))
}

func TestDestroyRemovesTheDirectory(t *testing.T) {
	h := bootOne(t)
	h.output("mkdir -p ro/deep && touch ro/deep/file && chmod 500 ro ro/deep")
	h.Destroy()
	h.Destroy()
	assert.NoDirExists(t, h.Dir())
	assert.False(t, h.Running())
	require.ErrorContains(t, h.Boot(), "destroyed")
}

func TestPowerSwitchFromManyHands(t *testing.T) {
	s := newSite(t)
	h := s.boot(s.config("vm"))
	var hands sync.WaitGroup
	for range 8 {
		hands.Go(func() {
			assert.NoError(t, h.Boot())
			h.Running()
			h.PowerOff()
		})
	}
	hands.Wait()
	assert.False(t, h.Running())
}

func hostKey(t *testing.T, h *host) []byte {
	t.Helper()
	var got []byte
	client, err := ssh.Dial("tcp", h.address(0), &ssh.ClientConfig{
		User: h.cfg.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(h.site.signer)},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			got = key.Marshal()
			return nil
		},
	})
	require.NoError(t, err)
	require.NoError(t, client.Close())
	return got
}
