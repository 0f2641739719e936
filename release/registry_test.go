package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

// hosts is where the registries of the tests really listen. They need names
// without a port, for fleeting-artifact cannot install from others.
var hosts sync.Map

// testRegistry is an OCI registry that speaks HTTPS.
type testRegistry struct {
	host    string
	handler atomic.Pointer[http.Handler] // what serves now
	plain   http.Handler                 // what serves without a fault
}

var registries atomic.Int64

func newRegistry(t *testing.T) *testRegistry {
	t.Helper()
	r := &testRegistry{
		host:  fmt.Sprintf("registry-%d.example.com", registries.Add(1)), // httptest's certificate is for *.example.com
		plain: registry.New(registry.Logger(log.New(io.Discard, "", 0))),
	}
	r.fault(nil)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		(*r.handler.Load()).ServeHTTP(w, q)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	listen, err := url.Parse(server.URL)
	require.NoError(t, err)
	hosts.Store(r.host+":443", listen.Host)
	t.Cleanup(remote.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return r
}

// fault puts something between the registry and those who ask for a layer.
func (r *testRegistry) fault(between func(w http.ResponseWriter, layer []byte)) {
	handler := r.plain
	if between != nil {
		handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.Method != http.MethodGet || !strings.Contains(q.URL.Path, "/blobs/") {
				r.plain.ServeHTTP(w, q)
				return
			}
			response := httptest.NewRecorder()
			r.plain.ServeHTTP(response, q)
			body := response.Body.Bytes()
			if len(body) == 0 || body[0] == '{' { // an image's configuration
				_, _ = w.Write(body)
				return
			}
			between(w, body)
		})
	}
	r.handler.Store(&handler)
}

// trusted is the certificate that all servers of httptest have.
func trusted() *x509.CertPool {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return pool
}

// TestMain lets the registry's clients find the registries of the tests and
// nothing else, no proxy, no credentials.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "fleeting-plugin-azure-release-")
	if err != nil {
		log.Fatal(err)
	}
	scratch = dir
	_ = os.Setenv("DOCKER_CONFIG", dir)
	transport := remote.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.TLSClientConfig = &tls.Config{RootCAs: trusted()}
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		listener, known := hosts.Load(address)
		if !known {
			return nil, fmt.Errorf("no test listens at %s", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, listener.(string))
	}
	remote.DefaultTransport = transport
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}
