package machine

import (
	"io"
	"net"
	"path/filepath"
	"strconv"
	"sync"

	gossh "golang.org/x/crypto/ssh"
)

func (l *life) forwardTCP(offer gossh.NewChannel) {
	var m struct {
		Host       string
		Port       uint32
		OriginHost string
		OriginPort uint32
	}
	if err := gossh.Unmarshal(offer.ExtraData(), &m); err != nil {
		_ = offer.Reject(gossh.ConnectionFailed, "parse forwarding request: "+err.Error())
		return
	}
	l.forward(offer, "tcp", net.JoinHostPort(m.Host, strconv.FormatUint(uint64(m.Port), 10)))
}

func (l *life) forwardUnix(offer gossh.NewChannel) {
	var m struct {
		Path      string
		Reserved0 string
		Reserved1 uint32
	}
	if err := gossh.Unmarshal(offer.ExtraData(), &m); err != nil {
		_ = offer.Reject(gossh.ConnectionFailed, "parse forwarding request: "+err.Error())
		return
	}
	if !filepath.IsAbs(m.Path) {
		m.Path = filepath.Join(l.machine.dir, m.Path)
	}
	l.forward(offer, "unix", m.Path)
}

// stream is a connection whose sending side can be closed by itself, which
// gliderlabs' own forwarding cannot do.
type stream interface {
	io.ReadWriteCloser
	CloseWrite() error
}

func (l *life) forward(offer gossh.NewChannel, network, address string) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(l.ctx, network, address)
	if err != nil {
		_ = offer.Reject(gossh.ConnectionFailed, err.Error())
		return
	}
	defer conn.Close()
	target, ok := conn.(stream)
	if !ok {
		_ = offer.Reject(gossh.ConnectionFailed, "forward to "+address+": not a stream")
		return
	}
	channel, requests, err := offer.Accept()
	if err != nil {
		return
	}
	defer channel.Close()
	var both sync.WaitGroup
	both.Go(func() { pipe(target, channel) })
	both.Go(func() { pipe(channel, target) })
	l.work.Go(func() {
		// The requests end when the client has closed the channel, which the
		// copying from an idle target would not notice.
		gossh.DiscardRequests(requests)
		_ = conn.Close()
	})
	both.Wait()
}

// pipe closes both ends when dst is gone, so that src's sender learns of it.
func pipe(dst, src stream) {
	if _, err := io.Copy(dst, src); err != nil {
		_ = src.Close()
		_ = dst.Close()
		return
	}
	_ = dst.CloseWrite()
}
