package vmss

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKeyIDOf(t *testing.T) {
	const blob = "AAAAC3NzaC1lZDI1NTE5AAAAIGk1cXJzdHV2d3h5ejAxMjM0NTY3ODlhYmNkZWZnaGlq"
	id := KeyIDOf([]byte("ssh-ed25519 " + blob))
	assert.NotZero(t, id)
	for _, same := range []string{"ssh-ed25519 " + blob + " me@host\r\n", "  ssh-ed25519   " + blob + "\n", "no-pty ssh-ed25519 " + blob} {
		assert.Equal(t, id, KeyIDOf([]byte(same)), same)
	}
	assert.NotEqual(t, id, KeyIDOf([]byte("ssh-ed25519 "+blob[:len(blob)-4])))
	for _, none := range []string{"", "ssh-ed25519", "AAAA*", "---- BEGIN SSH2 PUBLIC KEY ----"} {
		assert.Zero(t, KeyIDOf([]byte(none)), none)
	}
}
