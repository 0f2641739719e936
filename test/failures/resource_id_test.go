package failures_test

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
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/rig"
)

// TestF18ResourceIDsInAnyCase: services of Azure write the same ID in different
// case (kubernetes/kubernetes#71994, Azure/azure-cli#7262). Here each segment of
// each ID has another one each time.
func TestF18ResourceIDsInAnyCase(t *testing.T) {
	spec := armsim.ScaleSetSpec{Capacity: 2, PublicAddress: true}
	rig.RunBothModes(t, rig.Setup{Spec: spec, NotStarted: true}, func(r *rig.Rig) {
		odd := &oddCase{rand: rand.New(rand.NewPCG(1, 1))}
		r.Middleware = odd.middleware
		require.NoError(r, r.Start())
		r.AwaitFleet(2)
		all := r.ScaleOut(2)
		for _, i := range all {
			info, err := i.ConnectInfo(r.Context())
			require.NoError(r, err)
			found := r.Find(i.ID())
			assert.Equal(r, found.PrivateAddress, info.InternalAddr)
			assert.Equal(r, found.PublicAddress, info.ExternalAddr)
		}
		all[0].Delete()
		r.AwaitFleet(3)
		r.Disrupt(r.NameOf(all[1]), r.Sim.Kill)
		r.Disrupt(r.NameOf(all[2]), r.Sim.Remove)
		r.AwaitFleet(1)
		assert.Greater(r, odd.changed, 100)
	})
}

// oddCase writes the IDs in answers in random case.
type oddCase struct {
	mu      sync.Mutex
	rand    *rand.Rand
	changed int
}

// An ID that is a value of JSON as a whole; links are none.
var resourceID = regexp.MustCompile(`"/subscriptions/[^"?]*"`)

func (o *oddCase) middleware(under http.RoundTripper) http.RoundTripper {
	return rig.RoundTripper(func(q *http.Request) (*http.Response, error) {
		response, err := under.RoundTrip(q)
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
	})
}

func (o *oddCase) scramble(id []byte) []byte {
	segments := strings.Split(string(id), "/")
	for n, s := range segments {
		segments[n] = []string{s, strings.ToLower(s), strings.ToUpper(s)}[o.rand.IntN(3)]
	}
	o.changed++
	return []byte(strings.Join(segments, "/"))
}
