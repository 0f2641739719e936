package machine

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"runtime"
	"sync"
)

// reserveTries is how often another process may snatch the port found.
const reserveTries = 32

// ReservePort finds a TCP port that is free on every address of prefix, or takes
// the one that wanted names if it is not 0, and listens on it at the prefix's
// first host, which no Pool hands out. That keeps other processes from taking
// the port on all addresses at once, until release is called; release may be
// called more than once. The error says that prefix is not one for a Pool, or
// that the port, or any, could not be had.
func ReservePort(prefix netip.Prefix, wanted int) (port int, release func(), err error) {
	if err := checkPrefix(prefix); err != nil {
		return 0, nil, fmt.Errorf("reserve port on %s: %w", prefix, err)
	}
	first := prefix.Masked().Addr().Next()
	if wanted != 0 {
		return takePort(netip.AddrPortFrom(first, uint16(wanted)))
	}
	for range reserveTries {
		var keeper net.Listener
		if keeper, port, err = tryReserve(context.Background(), first); err == nil {
			return port, sync.OnceFunc(func() { _ = keeper.Close() }), nil
		}
	}
	return 0, nil, fmt.Errorf("reserve port on %s: %w", prefix, err)
}

func takePort(at netip.AddrPort) (port int, release func(), err error) {
	var config net.ListenConfig
	keeper, err := config.Listen(context.Background(), "tcp4", at.String())
	if err != nil {
		return 0, nil, fmt.Errorf("reserve port %d: %w; fix: take a port that is free on all addresses and that this user may listen on", at.Port(), err)
	}
	return int(at.Port()), sync.OnceFunc(func() { _ = keeper.Close() }), nil
}

// tryReserve asks for the port on all addresses first, since only a port that
// nobody listens on at any address is given then.
func tryReserve(ctx context.Context, first netip.Addr) (net.Listener, int, error) {
	var config net.ListenConfig
	everywhere, err := config.Listen(ctx, "tcp4", "0.0.0.0:0")
	if err != nil {
		return nil, 0, err
	}
	found, err := netip.ParseAddrPort(everywhere.Addr().String())
	_ = everywhere.Close()
	if err != nil {
		return nil, 0, err
	}
	keeper, err := config.Listen(ctx, "tcp4", netip.AddrPortFrom(first, found.Port()).String())
	return keeper, int(found.Port()), err
}

// Supported says in one line what this system lacks for machines: addresses
// throughout 127.0.0.0/8, as Linux has them and macOS has not, and /bin/sh,
// which Windows has not. It is nil on Linux.
func Supported() error {
	var config net.ListenConfig
	probe, err := config.Listen(context.Background(), "tcp4", "127.255.255.254:0")
	if err != nil {
		return fmt.Errorf("simulate machines on %s: only part of 127.0.0.0/8 is loopback here, Linux is needed", runtime.GOOS)
	}
	_ = probe.Close()
	if _, err := exec.LookPath("/bin/sh"); err != nil {
		return fmt.Errorf("simulate machines on %s: /bin/sh is missing, Linux is needed", runtime.GOOS)
	}
	return nil
}
