package machine_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
	"golang.org/x/crypto/ssh"
)

// listenVariable makes this test binary a daemon that listens on the address
// given, writes where it listens, and keeps connections open until it is killed.
const listenVariable = "MACHINE_TEST_LISTEN"

func TestMain(m *testing.M) {
	if address := os.Getenv(listenVariable); address != "" {
		listenForEver(address)
	}
	os.Exit(m.Run())
}

func listenForEver(address string) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(l.Addr())
	kept := map[net.Conn]bool{} // open until this process dies
	for {
		conn, _ := l.Accept()
		kept[conn] = true
	}
}

var prefix = netip.MustParsePrefix("127.77.0.0/24")

const password = "correct horse"

// site is a subnet of machines that share a port and let the same key in.
type site struct {
	t      *testing.T
	pool   *machine.Pool
	port   int
	signer ssh.Signer
	parent string
}

func newSite(t *testing.T) *site {
	t.Helper()
	if err := machine.Supported(); err != nil {
		t.Skip(err)
	}
	pool, err := machine.NewPool(prefix)
	require.NoError(t, err)
	port, release, err := machine.ReservePort(prefix, 0)
	require.NoError(t, err)
	t.Cleanup(release)
	return &site{t: t, pool: pool, port: port, signer: newSigner(t), parent: t.TempDir()}
}

func newSigner(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	return signer
}

func authorized(signer ssh.Signer) string {
	return string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
}

// config is a machine at an address of its own, with the site's key.
func (s *site) config(name string) machine.Config {
	s.t.Helper()
	addr, err := s.pool.Take()
	require.NoError(s.t, err)
	return machine.Config{
		Name: name, Addresses: []netip.Addr{addr}, Port: s.port, User: "azureuser",
		AuthorizedKeys: []string{authorized(s.signer)}, ParentDir: s.parent,
	}
}

// host is a booted machine and how to reach it.
type host struct {
	*machine.Machine
	cfg  machine.Config
	site *site
}

func (s *site) boot(cfg machine.Config) *host {
	s.t.Helper()
	m, err := machine.New(cfg)
	require.NoError(s.t, err)
	s.t.Cleanup(m.Destroy)
	require.NoError(s.t, m.Boot())
	return &host{Machine: m, cfg: cfg, site: s}
}

func (h *host) address(i int) string {
	return net.JoinHostPort(h.cfg.Addresses[i].String(), strconv.Itoa(h.cfg.Port))
}

func dial(address, user string, auth ...ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", address, &ssh.ClientConfig{
		User: user, Auth: auth, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
}

func (h *host) client() *ssh.Client {
	h.site.t.Helper()
	client, err := dial(h.address(0), h.cfg.User, ssh.PublicKeys(h.site.signer))
	require.NoError(h.site.t, err)
	h.site.t.Cleanup(func() { _ = client.Close() })
	return client
}

func (h *host) session() *ssh.Session {
	h.site.t.Helper()
	session, err := h.client().NewSession()
	require.NoError(h.site.t, err)
	return session
}

// output is what command writes to its standard output; it must succeed.
func (h *host) output(command string) string {
	h.site.t.Helper()
	out, err := h.session().Output(command)
	require.NoError(h.site.t, err)
	return string(out)
}

func bootOne(t *testing.T) *host {
	t.Helper()
	s := newSite(t)
	return s.boot(s.config("vm"))
}
