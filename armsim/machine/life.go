package machine

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"sync"
	"time"

	gliderssh "github.com/gliderlabs/ssh"
)

var errOff = errors.New("the machine is off")

// life is what a machine has from one Boot to the next PowerOff.
type life struct {
	machine   *Machine
	server    *gliderssh.Server
	listeners []net.Listener
	ctx       context.Context
	cancel    context.CancelFunc
	// swept is closed when a dead machine's processes are killed.
	swept chan struct{}
	work  sync.WaitGroup

	mu        sync.Mutex
	dead      bool
	commanded bool
	conns     map[net.Conn]struct{}
}

func listenAll(ctx context.Context, cfg Config) ([]net.Listener, error) {
	var all []net.Listener
	var config net.ListenConfig
	for _, a := range cfg.Addresses {
		l, err := config.Listen(ctx, "tcp", netip.AddrPortFrom(a.Unmap(), uint16(cfg.Port)).String())
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, l)
	}
	return all, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		_ = l.Close()
	}
}

func startLife(m *Machine, listeners []net.Listener) *life {
	ctx, cancel := context.WithCancel(context.Background())
	l := &life{
		machine: m, listeners: listeners, ctx: ctx, cancel: cancel,
		swept: make(chan struct{}), conns: map[net.Conn]struct{}{},
	}
	l.server = l.newServer()
	for _, ln := range listeners {
		l.work.Go(func() { l.accept(ln) })
	}
	return l
}

// accept stands in for gliderlabs' Serve, whose Close neither cuts connections
// that have not logged in yet nor waits for the others.
func (l *life) accept(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err == nil {
			l.admit(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) || !l.pause(acceptPause) {
			return
		}
	}
}

// acceptPause is waited when accepting fails, mostly for want of file descriptors.
const acceptPause = 5 * time.Millisecond

func (l *life) pause(d time.Duration) bool {
	select {
	case <-l.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (l *life) admit(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		_ = conn.Close()
		return
	}
	l.conns[conn] = struct{}{}
	l.work.Go(func() {
		l.server.HandleConn(conn)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.conns, conn)
	})
}

// enter counts one piece of work that end waits for, and is false when the
// machine is dead and no work may begin; leave ends it.
func (l *life) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return false
	}
	l.work.Add(1)
	return true
}

func (l *life) leave() { l.work.Done() }

// start holds the lock through the fork, so that no process begins on a dead
// machine.
func (l *life) start(cmd *exec.Cmd) (*command, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return nil, errOff
	}
	l.commanded = true
	return startCommand(cmd)
}

// end cuts the connections before it kills, so that no client is told how its
// command ended.
func (l *life) end() {
	l.mu.Lock()
	l.dead = true
	for conn := range l.conns {
		_ = conn.Close()
	}
	l.mu.Unlock()
	l.cancel()
	closeAll(l.listeners)
	if l.commanded {
		killMarked(l.machine.mark)
	}
	close(l.swept)
	l.work.Wait()
}

// awaitSweep leaves the killing on a dead machine to end, which waits for each
// process it finds; it would not find one that a session killed a moment before.
func (l *life) awaitSweep() {
	if l.isDead() {
		<-l.swept
	}
}
