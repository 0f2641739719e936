package armsim_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestListen: under a name, as in a container, with the certificate from the
// control endpoint.
func TestListen(t *testing.T) {
	t.Parallel()
	s := armsim.Start(t, armsim.Config{NoMachines: true, ControlToken: "token", Listen: armsim.Listen{Endpoint: "127.0.0.1:0", Control: "127.0.0.1:0", Host: "armsim.example"}})
	endpoint, err := url.Parse(s.Endpoint)
	require.NoError(t, err)
	control, err := url.Parse(s.ControlEndpoint)
	require.NoError(t, err)
	assert.Equal(t, []string{"armsim.example", "armsim.example"}, []string{endpoint.Hostname(), control.Hostname()})
	assert.Contains(t, s.Env(), "ARMSIM_ENDPOINT="+s.Endpoint)

	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port) // where the name leads
	}
	roots := x509.NewCertPool()
	client := &http.Client{Transport: &http.Transport{DialContext: dial, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}}
	response, err := client.Get(s.ControlEndpoint + "/ca.pem")
	require.NoError(t, err)
	defer response.Body.Close()
	certificate, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.True(t, roots.AppendCertsFromPEM(certificate))
	secured, err := client.Get(s.Endpoint + "/metadata/endpoints?api-version=2022-09-01")
	require.NoError(t, err)
	require.NoError(t, secured.Body.Close())
	other, err := client.Get(s.ControlEndpoint + "/stats")
	require.NoError(t, err)
	require.NoError(t, other.Body.Close())
	assert.Equal(t, http.StatusUnauthorized, other.StatusCode, "all else needs the token")
}

func TestListenAtWhatIsTaken(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	_, err = armsim.New(armsim.Config{NoMachines: true, Listen: armsim.Listen{Endpoint: taken.Addr().String()}})
	require.ErrorContains(t, err, taken.Addr().String())
}
