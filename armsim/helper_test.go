package armsim_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const (
	version = "2025-04-01"
	boot    = 9 * time.Second
	removal = 6 * time.Second
	power   = 4 * time.Second

	// SSH public keys.
	firstKey  = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA first"
	secondKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB second"

	// settled is longer than anything takes.
	settled = time.Minute
)

type object = map[string]any

// tb is what *testing.T and *rapid.T share and these helpers need.
type tb interface {
	require.TestingT
	Helper()
}

// sim is a simulator and a client that speaks plain HTTPS to it.
type sim struct {
	*armsim.Server
	client *http.Client
	bearer string
}

// virtual starts a simulator whose time only Advance moves, without machines.
func virtual(t testing.TB, c armsim.Config) *sim {
	t.Helper()
	c.Virtual, c.NoMachines = true, true
	if c.Boot.Median == 0 {
		c.Boot.Median, c.Delete.Median, c.Power.Median = boot, removal, power
	}
	if c.TokenLifetime == 0 {
		c.TokenLifetime = 10_000 * time.Hour
	}
	return start(t, c)
}

func start(t testing.TB, c armsim.Config) *sim {
	t.Helper()
	s := &sim{Server: armsim.Start(t, c)}
	s.client = s.Client()
	t.Cleanup(s.client.CloseIdleConnections)
	token, err := s.Token()
	require.NoError(t, err)
	s.bearer = token
	return s
}

// reply is a response, read to its end.
type reply struct {
	status int
	header http.Header
	raw    string
	body   object
}

func (r reply) code() string    { return r.text("error.code") }
func (r reply) message() string { return r.text("error.message") }
func (r reply) values() []any   { v, _ := r.body["value"].([]any); return v }

func (r reply) text(path string) string { s, _ := get(r.body, path).(string); return s }

// get is what stands at a dotted path; a number picks from a list.
func get(v any, path string) any {
	for _, key := range strings.Split(path, ".") {
		switch from := v.(type) {
		case object:
			v = from[key]
		case []any:
			var n int
			if _, err := fmt.Sscan(key, &n); err != nil || n >= len(from) {
				return nil
			}
			v = from[n]
		default:
			return nil
		}
	}
	return v
}

type header map[string]string

// send asks with the simulator's own token. The api-version is added to a
// target that has no query, the endpoint to a path; a string is a raw body.
func (s *sim) send(t tb, method, target string, body any, headers ...header) reply {
	t.Helper()
	if !strings.Contains(target, "?") {
		target += "?api-version=" + version
	}
	if strings.HasPrefix(target, "/") {
		target = s.Endpoint + target
	}
	r, err := http.NewRequest(method, target, bodyOf(t, body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.bearer)
	for _, h := range headers {
		for key, value := range h {
			r.Header.Set(key, value)
		}
	}
	return s.exchange(t, r)
}

func bodyOf(t tb, body any) io.Reader {
	switch body := body.(type) {
	case nil:
		return http.NoBody
	case string:
		return strings.NewReader(body)
	}
	encoded, err := json.Marshal(body)
	require.NoError(t, err)
	return bytes.NewReader(encoded)
}

func (s *sim) exchange(t tb, r *http.Request) reply {
	t.Helper()
	response, err := s.client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	read := reply{status: response.StatusCode, header: response.Header, raw: string(raw)}
	if len(raw) > 0 {
		require.NoError(t, json.Unmarshal(raw, &read.body), "%s", raw)
	}
	return read
}

// scaleSet makes a scale set and lets it settle.
func (s *sim) scaleSet(t *testing.T, spec armsim.ScaleSetSpec) string {
	t.Helper()
	path, err := s.CreateScaleSet(t.Context(), spec)
	require.NoError(t, err)
	s.Advance(settled)
	return path
}

func (s *sim) get(t tb, target string) reply {
	t.Helper()
	return s.send(t, http.MethodGet, target, nil)
}

// setCapacity patches the capacity and nothing else.
func (s *sim) setCapacity(t tb, path string, n int, headers ...header) reply {
	t.Helper()
	return s.send(t, http.MethodPatch, path, object{"sku": object{"capacity": n}}, headers...)
}

func (s *sim) deleteInstances(t tb, path string, ids ...string) reply {
	t.Helper()
	return s.send(t, http.MethodPost, path+"/delete", object{"instanceIds": ids})
}

// list reads all pages of a list.
func (s *sim) list(t tb, target string) []any {
	t.Helper()
	var all []any
	for target != "" {
		page := s.get(t, target)
		require.Equal(t, http.StatusOK, page.status, page.raw)
		all = append(all, page.values()...)
		target = page.text("nextLink")
	}
	return all
}

// ids are the instance IDs that the API lists.
func (s *sim) ids(t tb, path string) []string {
	t.Helper()
	ids := []string{}
	for _, i := range s.list(t, path+"/virtualMachines") {
		ids = append(ids, get(i, "instanceId").(string))
	}
	return ids
}

func (s *sim) capacity(t tb, path string) int {
	t.Helper()
	n, ok := get(s.get(t, path).body, "sku.capacity").(float64)
	require.True(t, ok)
	return int(n)
}

// operation is the present status body of the operation that r started.
func (s *sim) operation(t tb, r reply) reply {
	t.Helper()
	url := r.header.Get("Azure-AsyncOperation")
	require.NotEmpty(t, url, r.raw)
	return s.get(t, url)
}

func (s *sim) status(t tb, r reply) string {
	t.Helper()
	return s.operation(t, r).text("status")
}

// readAll sends a request to the control endpoint and returns the response.
func readAll(t tb, r *http.Request) string {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(raw)
}

func jsonOf(t tb, v any) string {
	t.Helper()
	encoded, err := json.Marshal(v)
	require.NoError(t, err)
	return string(encoded)
}

func decode(t tb, response *http.Response) any {
	t.Helper()
	defer response.Body.Close()
	var body any
	require.NoError(t, json.NewDecoder(response.Body).Decode(&body))
	return body
}

// newCertificate makes a certificate and the key that it speaks for.
func newCertificate(t *testing.T) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return certificate, key
}

func certs(c *x509.Certificate) []*x509.Certificate { return []*x509.Certificate{c} }

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func unmarshal(raw string, into any) {
	if err := json.Unmarshal([]byte(raw), into); err != nil {
		panic(err) // the simulator or the test wrote it
	}
}
