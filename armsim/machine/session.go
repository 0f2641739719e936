package machine

import (
	"syscall"

	gossh "golang.org/x/crypto/ssh"
)

// session is one "session" channel. It replaces gliderlabs' own, which can lock
// up on an unread signal, has no exit-signal and does not notice that its
// channel was closed.
type session struct {
	life    *life
	channel gossh.Channel
	env     []string
	command *command
}

func (l *life) serveSession(offer gossh.NewChannel) {
	channel, requests, err := offer.Accept()
	if err != nil {
		return
	}
	s := &session{life: l, channel: channel}
	for r := range requests {
		ok := s.handle(r)
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if ok && (r.Type == "exec" || r.Type == "shell") {
			l.work.Go(s.run)
		}
	}
	if s.command != nil {
		s.life.awaitSweep()
		s.command.abandon()
		<-s.command.done
	}
	_ = channel.Close()
}

func (s *session) handle(r *gossh.Request) bool {
	switch r.Type {
	case "env":
		return s.setEnv(r.Payload)
	case "pty-req", "window-change":
		// Commands get pipes all the same; refusing would fail clients that
		// ask for a terminal by habit.
		return true
	case "shell":
		return s.start(nil)
	case "exec":
		var m struct{ Command string }
		return gossh.Unmarshal(r.Payload, &m) == nil && s.start([]string{"-c", m.Command})
	case "signal":
		return s.signal(r.Payload)
	default:
		return false
	}
}

func (s *session) setEnv(payload []byte) bool {
	var m struct{ Key, Value string }
	if gossh.Unmarshal(payload, &m) != nil || !validEnv(m.Key, m.Value) {
		return false
	}
	s.env = append(s.env, m.Key+"="+m.Value)
	return s.command == nil
}

func (s *session) start(args []string) bool {
	if s.command != nil {
		return false
	}
	c, err := s.life.start(s.life.machine.shell(args, s.env))
	if err != nil {
		return false
	}
	s.command = c
	return true
}

func (s *session) signal(payload []byte) bool {
	var m struct{ Name string }
	if gossh.Unmarshal(payload, &m) != nil || s.command == nil {
		return false
	}
	sig, known := signals[m.Name]
	return known && s.command.signal(sig)
}

func (s *session) run() {
	status := s.command.run(s.channel, s.channel, s.channel.Stderr())
	_ = s.channel.CloseWrite()
	s.sendStatus(status)
	_ = s.channel.Close()
}

func (s *session) sendStatus(status syscall.WaitStatus) {
	if name := signalName(status); name != "" {
		m := struct {
			Name     string
			Core     bool
			Message  string
			Language string
		}{Name: name}
		_, _ = s.channel.SendRequest("exit-signal", false, gossh.Marshal(m))
		return
	}
	m := struct{ Code uint32 }{uint32(exitCode(status))}
	_, _ = s.channel.SendRequest("exit-status", false, gossh.Marshal(m))
}

// signalName is empty unless a signal that SSH has a name for ended the command.
func signalName(status syscall.WaitStatus) string {
	if !status.Signaled() {
		return ""
	}
	for name, sig := range signals {
		if sig == status.Signal() {
			return name
		}
	}
	return ""
}
