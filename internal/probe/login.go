package probe

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"golang.org/x/crypto/ssh"
)

// lookTimeout is how long an address may take to respond at all.
const lookTimeout = 10 * time.Second

// awaitLogin waits until an instance lets the user in: sshd may start a while after the
// instance, and cloud-init make the user after that. The connector of fleeting tries
// again, too, but its error has the number of tries and no reason.
func (p *prober) awaitLogin(ctx context.Context, info provider.ConnectInfo) error {
	var first time.Time // refusal
	for {
		refused, err := p.login(ctx, info)
		if err == nil {
			return nil
		}
		if refused && first.IsZero() {
			first = time.Now()
		}
		if refused && time.Since(first) > p.Settings.Timeout || pause(ctx, p.Poll) != nil {
			return err
		}
	}
}

// login logs in over SSH, and out again. refused: the instance responds.
func (p *prober) login(ctx context.Context, info provider.ConnectInfo) (refused bool, err error) {
	host, port := info.InternalAddr, cmp.Or(info.ProtocolPort, provider.DefaultProtocolPorts[provider.ProtocolSSH])
	if p.External && info.ExternalAddr != "" {
		host = info.ExternalAddr
	}
	if info.Protocol == provider.ProtocolWinRM || host == "" {
		return false, nil // the connector tells
	}
	address := net.JoinHostPort(host, strconv.Itoa(port))
	connection, err := (&net.Dialer{Timeout: lookTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false, fmt.Errorf("%s cannot be reached: %w; fix: this machine must be in the instances' network or in one that is peered with it, and the network security group must let it in at port %d", address, err, port)
	}
	defer connection.Close()
	_ = connection.SetDeadline(time.Now().Add(lookTimeout))
	session, _, _, err := ssh.NewClientConn(connection, address, &ssh.ClientConfig{
		User: info.Username, Auth: methods(info), HostKeyCallback: ssh.InsecureIgnoreHostKey(), //nolint:gosec // as the runner does
	})
	if err != nil {
		return true, fmt.Errorf("%s refuses the login of %q: %w; fix: doctor tells whether key_path is a key of the scale set's model, which instances get when they are made", address, info.Username, err)
	}
	return false, session.Close()
}

func methods(info provider.ConnectInfo) (all []ssh.AuthMethod) {
	if signer, err := ssh.ParsePrivateKey(info.Key); err == nil {
		all = append(all, ssh.PublicKeys(signer))
	}
	if info.Password != "" {
		all = append(all, ssh.Password(info.Password))
	}
	return all
}
