package machine_test

import (
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// echo serves one connection, once its sender has closed its side.
func echo(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all, _ := io.ReadAll(conn)
			_, _ = conn.Write(all)
			_ = conn.Close()
		}
	}()
	return l
}

func TestForward(t *testing.T) {
	h := bootOne(t)
	tcp := echo(t, "tcp", "127.0.0.1:0").Addr().String()
	socket := filepath.Join(h.Dir(), "s.sock")
	echo(t, "unix", socket)

	for _, target := range [][2]string{{"tcp", tcp}, {"unix", socket}, {"unix", "s.sock"}} {
		t.Run(target[0]+" "+target[1], func(t *testing.T) {
			conn, err := h.client().Dial(target[0], target[1])
			require.NoError(t, err)
			_, err = conn.Write([]byte("hello"))
			require.NoError(t, err)
			half, ok := conn.(interface{ CloseWrite() error })
			require.True(t, ok)
			require.NoError(t, half.CloseWrite())
			got, err := io.ReadAll(conn)
			require.NoError(t, err)
			assert.Equal(t, "hello", string(got))
		})
	}
}

func TestForwardToNowhere(t *testing.T) {
	client := bootOne(t).client()
	_, err := client.Dial("unix", "missing.sock")
	require.ErrorContains(t, err, "no such file")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = client.Dial("tcp", l.Addr().String())
	require.ErrorContains(t, err, "refused")
}

// forward is a connection through the host and its end at the target.
func (h *host) forward(t *testing.T) (conn, target net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	conn, err = h.client().Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	target, err = l.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = target.Close() })
	return conn, target
}

// The target learns that the client has gone, even while neither sends.
func TestForwardEndsWithTheClient(t *testing.T) {
	h := bootOne(t)
	conn, target := h.forward(t)
	require.NoError(t, conn.Close())
	_, err := io.ReadAll(target)
	require.NoError(t, err)
}

func TestPowerOffCutsForwards(t *testing.T) {
	h := bootOne(t)
	conn, target := h.forward(t)
	h.PowerOff()
	_, err := io.ReadAll(target)
	require.NoError(t, err)
	_, err = io.ReadAll(conn)
	require.NoError(t, err)
}
