package machine

import (
	"crypto/sha256"
	"crypto/subtle"

	gliderssh "github.com/gliderlabs/ssh"
	gossh "golang.org/x/crypto/ssh"
)

func (l *life) newServer() *gliderssh.Server {
	server := &gliderssh.Server{
		HostSigners: []gliderssh.Signer{l.machine.signer},
		// Set even without keys: with no handler at all gliderlabs lets everyone in.
		PublicKeyHandler: l.keyAllowed,
		ChannelHandlers: map[string]gliderssh.ChannelHandler{
			"session":                        l.guard(l.serveSession),
			"direct-tcpip":                   l.guard(l.forwardTCP),
			"direct-streamlocal@openssh.com": l.guard(l.forwardUnix),
		},
	}
	if l.machine.cfg.Password != "" {
		server.PasswordHandler = l.passwordAllowed
	}
	return server
}

func (l *life) keyAllowed(ctx gliderssh.Context, key gliderssh.PublicKey) bool {
	if ctx.User() != l.machine.cfg.User {
		return false
	}
	for _, k := range l.machine.keys {
		if gliderssh.KeysEqual(k, key) {
			return true
		}
	}
	return false
}

func (l *life) passwordAllowed(ctx gliderssh.Context, password string) bool {
	// Hashing first hides the length, which the comparison alone would tell.
	given, wanted := sha256.Sum256([]byte(password)), sha256.Sum256([]byte(l.machine.cfg.Password))
	same := subtle.ConstantTimeCompare(given[:], wanted[:]) == 1
	return same && ctx.User() == l.machine.cfg.User
}

// guard keeps channels from opening on a dead machine, and for a user that
// gliderlabs did not see: its context keeps the name of the first login
// attempt, while a client may name another user in a later one.
func (l *life) guard(serve func(gossh.NewChannel)) gliderssh.ChannelHandler {
	return func(_ *gliderssh.Server, conn *gossh.ServerConn, ch gossh.NewChannel, _ gliderssh.Context) {
		if conn.User() != l.machine.cfg.User {
			_ = ch.Reject(gossh.Prohibited, "user "+conn.User()+" may not log in")
			return
		}
		if !l.enter() {
			_ = ch.Reject(gossh.ResourceShortage, errOff.Error())
			return
		}
		defer l.leave()
		serve(ch)
	}
}
