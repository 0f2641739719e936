package azure

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// TestF18ResourceIDsInAnyCase: services of Azure write the same ID in different
// case (kubernetes/kubernetes#71994, Azure/azure-cli#7262). Here each segment of
// each ID has another one each time.
func TestF18ResourceIDsInAnyCase(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			inScene(t, armsim.Config{}, armsim.ScaleSetSpec{OrchestrationMode: mode, Capacity: 2, PublicAddress: true}, playF18)
		})
	}
}

func playF18(s *scene) {
	odd := &oddCase{rand: rand.New(rand.NewPCG(1, 1))}
	s.wire = func(under http.RoundTripper) http.RoundTripper {
		odd.under = under
		return odd
	}
	require.NoError(s.t, s.start())
	s.settle(2)
	s.request(2)
	for _, i := range s.running() {
		info, err := i.ConnectInfo(s.t.Context())
		require.NoError(s.t, err)
		found := s.find(i.ID())
		assert.Equal(s.t, found.PrivateAddress, info.InternalAddr)
		assert.Equal(s.t, found.PublicAddress, info.ExternalAddr)
	}
	victims, names := s.victims(3)
	victims[0].Delete()
	s.settle(3)
	s.watch.hurt(names[1])
	require.NoError(s.t, s.sim.Kill(names[1]))
	require.NoError(s.t, s.sim.Remove(names[2]))
	s.settle(1)
	assert.Greater(s.t, odd.changed, 100)
}

// oddCase writes the IDs in answers in random case.
type oddCase struct {
	under http.RoundTripper

	mu      sync.Mutex
	rand    *rand.Rand
	changed int
}

// An ID that is a value of JSON as a whole; links are none.
var resourceID = regexp.MustCompile(`"/subscriptions/[^"?]*"`)

// RoundTrip implements http.RoundTripper.
func (o *oddCase) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := o.under.RoundTrip(r)
	if err != nil {
		return response, err
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close() // it was read to its end
	o.mu.Lock()
	defer o.mu.Unlock()
	raw = resourceID.ReplaceAllFunc(raw, o.scramble)
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(raw)), int64(len(raw))
	response.Header.Del("Content-Length")
	return response, nil
}

func (o *oddCase) scramble(id []byte) []byte {
	segments := strings.Split(string(id), "/")
	for n, s := range segments {
		segments[n] = []string{s, strings.ToLower(s), strings.ToUpper(s)}[o.rand.IntN(3)]
	}
	o.changed++
	return []byte(strings.Join(segments, "/"))
}
