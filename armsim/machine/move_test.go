package machine_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	gossh "golang.org/x/crypto/ssh"
)

func TestMove(t *testing.T) {
	h := bootOne(t)
	other, err := h.site.pool.Take()
	require.NoError(t, err)
	require.ErrorContains(t, h.Move([]netip.Addr{other}), "it runs")
	h.PowerOff()
	require.ErrorContains(t, h.Move(nil), "no address")
	require.NoError(t, h.Move([]netip.Addr{other}))
	require.NoError(t, h.Boot())
	config := &gossh.ClientConfig{
		User: "azureuser", Auth: []gossh.AuthMethod{gossh.PublicKeys(h.site.signer)}, HostKeyCallback: gossh.InsecureIgnoreHostKey(),
	}
	client, err := gossh.Dial("tcp", netip.AddrPortFrom(other, uint16(h.site.port)).String(), config)
	require.NoError(t, err)
	assert.NoError(t, client.Close())
}
