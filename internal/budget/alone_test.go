package budget

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// azureBucket is a limit as Azure keeps it: its responses show whole requests.
type azureBucket struct{ tokens, burst, perMinute float64 }

func (a *azureBucket) pass(d time.Duration) {
	a.tokens = min(a.burst, a.tokens+d.Minutes()*a.perMinute)
}

func (a *azureBucket) serve(t require.TestingT, b *Budget, c Class) {
	require.GreaterOrEqual(t, a.tokens, 1.0, "Azure refuses it")
	a.tokens--
	b.Correct(c, http.Header{"X-Ms-Ratelimit-Remaining-Resource": {fmt.Sprintf("Microsoft.Compute/XResource;%d", int(a.tokens))}})
}

// TestNothingIsLeftUnused: whoever is alone gets all that Azure serves, in whichever
// rhythm it asks, and after any pause. Counts are whole numbers, and where few requests
// flow in, these say little of how fast.
func TestNothingIsLeftUnused(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := rapid.SampledFrom([]Class{WriteScaleSet, ReadScaleSet, ListInstances}).Draw(r, "class")
		every := time.Duration(rapid.IntRange(500, 5000).Draw(r, "every")) * time.Millisecond
		b, now := newBudget()
		l, _ := limitOf(c)
		azure := azureBucket{tokens: l.burst, burst: l.burst, perMinute: l.perMinute}
		served := 0
		pass := func(d time.Duration) {
			*now = now.Add(d)
			azure.pass(d)
		}
		for range rapid.IntRange(0, 20).Draw(r, "before") {
			pass(time.Duration(rapid.IntRange(1, 120).Draw(r, "pause")) * time.Second)
			for range rapid.IntRange(0, 12).Draw(r, "burst") {
				if b.Take(c) == nil {
					azure.serve(r, b, c)
				}
			}
		}
		pass(time.Duration(rapid.IntRange(0, 600).Draw(r, "rest")) * time.Second)
		const minutes = 20
		had := azure.tokens
		for passed := time.Duration(0); passed < minutes*time.Minute; passed += every {
			pass(every)
			if b.Take(c) == nil {
				azure.serve(r, b, c)
				served++
			}
		}
		possible := min(had+minutes*l.perMinute, minutes*float64(time.Minute/every))
		assert.GreaterOrEqual(r, float64(served), 0.85*possible, "of %s", c)
	})
}
