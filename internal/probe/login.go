package probe

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"golang.org/x/crypto/ssh"
)

// lookTimeout is how long an address may take to respond at all.
const lookTimeout = 10 * time.Second

// awaitLogin waits until an instance lets the user in: sshd may start a while after the
// instance, and cloud-init make the user after that.
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

// login logs in. refused: the instance responds.
func (p *prober) login(ctx context.Context, info provider.ConnectInfo) (refused bool, err error) {
	protocol := cmp.Or(info.Protocol, provider.ProtocolSSH)
	host, port := info.InternalAddr, cmp.Or(info.ProtocolPort, provider.DefaultProtocolPorts[protocol])
	if p.External && info.ExternalAddr != "" {
		host = info.ExternalAddr
	}
	if host == "" {
		return false, errors.New("the instance has no private address; fix: use_external_addr = true if it has a public one")
	}
	address := net.JoinHostPort(host, strconv.Itoa(port))
	connection, err := (&net.Dialer{Timeout: lookTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false, fmt.Errorf("%s cannot be reached: %w; fix: this machine must be in the instances' network or in one that is peered with it, and the network security group must let it in at port %d", address, err, port)
	}
	_ = connection.SetDeadline(time.Now().Add(lookTimeout))
	if protocol != provider.ProtocolSSH {
		defer connection.Close()
		return true, winRM(connection, protocol, address, info)
	}
	p.client, err = secureShell(connection, address, info)
	return true, err
}

func secureShell(connection net.Conn, address string, info provider.ConnectInfo) (*ssh.Client, error) {
	session, channels, requests, err := ssh.NewClientConn(connection, address, &ssh.ClientConfig{
		User: info.Username, Auth: methods(info), HostKeyCallback: ssh.InsecureIgnoreHostKey(), //nolint:gosec // as the runner does
	})
	if err != nil {
		_ = connection.Close()
		return nil, fmt.Errorf("%s refuses the login of %q: %w; fix: doctor tells whether key_path is a key of the scale set's model, which instances get when they are made", address, info.Username, err)
	}
	_ = connection.SetDeadline(time.Time{})
	return ssh.NewClient(session, channels, requests), nil
}

// winRM asks whether the user may come in. It signs in by Basic authentication, as
// fleeting's connector (connector/winrm.go), which Windows has off by default (Microsoft's "Installation and configuration for Windows Remote Management").
func winRM(connection net.Conn, protocol provider.Protocol, address string, info provider.ConnectInfo) error {
	if protocol == provider.ProtocolWinRMHttps {
		connection = tls.Client(connection, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // as the runner does
	}
	request, err := http.NewRequest(http.MethodPost, "http://"+address+"/wsman", http.NoBody) //nolint:noctx // the connection has a deadline
	if err != nil {
		return err
	}
	request.SetBasicAuth(info.Username, info.Password)
	if err := request.Write(connection); err != nil {
		return notWinRM(protocol, address, err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), request)
	if err != nil {
		return notWinRM(protocol, address, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusUnauthorized {
		return fmt.Errorf("%s refuses the login of %q: %s; fix: password must be that of the scale set's model when the instance was made, and WinRM must take Basic authentication: winrm set winrm/config/service/auth @{Basic=\"true\"} in the image", address, info.Username, response.Status)
	}
	return nil
}

func notWinRM(protocol provider.Protocol, address string, err error) error {
	return fmt.Errorf("%s does not speak %s: %w; fix: protocol must be what the image listens to there: winrm, winrm+https or ssh", address, protocol, err)
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
