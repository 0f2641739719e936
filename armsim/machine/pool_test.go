package machine_test

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
	"pgregory.net/rapid"
)

// The pool behaves as a plain set of the numbers 4 to 14 does.
func TestPoolGivesTheLowestFree(t *testing.T) {
	base := netip.MustParsePrefix("127.77.3.32/28")
	rapid.Check(t, func(t *rapid.T) {
		pool, err := machine.NewPool(base)
		require.NoError(t, err)
		held := map[netip.Addr]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				want, free := lowestFree(base, held)
				got, err := pool.Take()
				if !free {
					require.ErrorContains(t, err, "all 11 are in use")
					return
				}
				require.NoError(t, err)
				require.Equal(t, want, got)
				held[got] = true
			},
			"release": func(t *rapid.T) {
				n := rapid.IntRange(0, 17).Draw(t, "number")
				a := nth(base, n)
				pool.Release(a)
				delete(held, a)
			},
			"": func(t *rapid.T) { require.Equal(t, len(held), pool.InUse()) },
		})
	})
}

func nth(p netip.Prefix, n int) netip.Addr {
	a := p.Addr()
	for range n {
		a = a.Next()
	}
	return a
}

func lowestFree(p netip.Prefix, held map[netip.Addr]bool) (netip.Addr, bool) {
	for n := 4; n <= 14; n++ {
		if a := nth(p, n); !held[a] {
			return a, true
		}
	}
	return netip.Addr{}, false
}

func TestPoolBounds(t *testing.T) {
	for prefix, size := range map[string]int{
		"127.77.0.0/24": 251, "127.77.0.8/29": 3, "127.77.0.9/29": 3, "127.77.0.0/23": 507,
	} {
		pool, err := machine.NewPool(netip.MustParsePrefix(prefix))
		require.NoError(t, err)
		for range size {
			_, err := pool.Take()
			require.NoError(t, err)
		}
		_, err = pool.Take()
		require.Error(t, err, prefix)
	}
}

func TestPoolRefusesPrefix(t *testing.T) {
	for prefix, want := range map[string]string{
		"10.0.0.0/24": "127.0.0.0/8", "127.0.0.0/7": "127.0.0.0/8", "::1/128": "127.0.0.0/8",
		"127.77.0.0/30": "smaller than a /29",
	} {
		_, err := machine.NewPool(netip.MustParsePrefix(prefix))
		require.ErrorContains(t, err, want)
		_, _, err = machine.ReservePort(netip.MustParsePrefix(prefix), 0)
		require.ErrorContains(t, err, want)
	}
	_, err := machine.NewPool(netip.Prefix{})
	require.Error(t, err)
}

func TestReservedPortIsUsableAndKept(t *testing.T) {
	s := newSite(t)
	number := strconv.Itoa(s.port)
	for _, host := range []string{"127.77.0.4", "127.77.0.99", "127.77.0.254"} {
		l, err := net.Listen("tcp", net.JoinHostPort(host, number))
		require.NoError(t, err)
		require.NoError(t, l.Close())
	}
	_, err := net.Listen("tcp4", net.JoinHostPort("0.0.0.0", number))
	require.Error(t, err)
}

func TestReservedPortIsTheOneWanted(t *testing.T) {
	free, release, err := machine.ReservePort(prefix, 0)
	require.NoError(t, err)
	_, _, err = machine.ReservePort(prefix, free)
	require.ErrorContains(t, err, fmt.Sprintf("reserve port %d: ", free))
	require.ErrorContains(t, err, "fix: ")
	release()
	port, release, err := machine.ReservePort(prefix, free)
	require.NoError(t, err)
	defer release()
	assert.Equal(t, free, port)
}

func TestReleasedPortIsFree(t *testing.T) {
	port, release, err := machine.ReservePort(prefix, 0)
	require.NoError(t, err)
	release()
	release()
	l, err := net.Listen("tcp4", net.JoinHostPort("127.77.0.1", strconv.Itoa(port)))
	require.NoError(t, err)
	assert.NoError(t, l.Close())
}
