package armsim

import (
	"cmp"
	"net"
	"net/http"
)

// Listen is where the simulator listens, and how clients call it. The zero value
// is free ports that this host alone reaches; other values are for a container,
// and for clients on other hosts: whoever reaches the control endpoint controls
// the simulator, unless Config.ControlToken is set.
type Listen struct {
	Endpoint string // host:port of Server.Endpoint; empty: a free port at 127.0.0.1
	Control  string // the same of Server.ControlEndpoint

	// Host is the name or address that Server.Endpoint and Server.ControlEndpoint
	// have instead of the one listened at, which is for all names where that is
	// 0.0.0.0. The certificate is for it, too.
	Host string
}

// at makes the host:port of a URL of what listens at an address.
func (l Listen) at(address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil || l.Host == "" {
		return address.String() // of TCP there is no error
	}
	return net.JoinHostPort(cmp.Or(l.Host, host), port)
}

// serveCertificate sends the certificate of the authority, which is no secret, and
// reports whether the request is for it.
func (s controlServer) serveCertificate(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet || r.URL.Path != "/ca.pem" {
		return false
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = w.Write(s.CAPEM) // a client that went away is its own affair
	return true
}
