package armapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// pagesOf are the replies for a list of so many pages of three, after which Azure has
// left requests to spare.
func pagesOf(n, left int) []reply {
	header := http.Header{"X-Ms-Ratelimit-Remaining-Resource": {fmt.Sprintf("Microsoft.Compute/HighCostGetVMScaleSetResource;%d", left)}}
	all := []reply{{status: 200, body: fmt.Sprintf(`{"id":"x","sku":{"capacity":%d}}`, 3*n)}}
	for i := range n {
		next := fmt.Sprintf(`,"nextLink":"https://management.azure.com/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/ci/virtualMachines?page=%d"`, i+1)
		if i == n-1 {
			next = ""
		}
		all = append(all, reply{status: 200, header: header, body: `{"value":[` + strings.TrimSuffix(strings.Repeat(vmBody+",", 3), ",") + `]` + next + `}`})
	}
	return all
}

// TestListThatRunsShortGoesOn: a plugin that was started again does not know what its
// predecessor has used up. It waits for the next pages, and does not begin anew.
func TestListThatRunsShortGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := newClient(t, pagesOf(4, 0)...)
		_, err := c.ScaleSet(t.Context())
		require.NoError(t, err)
		begun := time.Now()
		all, err := uniform{c}.List(t.Context(), vmss.ListOptions{})
		require.NoError(t, err)
		assert.Len(t, all, 12)
		assert.Len(t, s.requests, 1+4)
		assert.InDelta(t, 21, time.Since(begun).Seconds(), 3, "ten pages a minute")
	})
}

// TestListThatCannotBeCompleted ends after its first page where nobody waits for it, and
// leaves what comes in to the next attempt: else each would use up what it needs itself.
func TestListThatCannotBeCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := newClient(t, pagesOf(20, 5)[1:]...)
		_, err := uniform{c}.List(t.Context(), vmss.ListOptions{Within: 50 * time.Second, Expected: 60})
		assert.True(t, armerr.Is(err, armerr.Throttled), err)
		assert.Len(t, s.requests, 1)
		c, s = newClient(t, pagesOf(8, 5)[1:]...)
		_, err = uniform{c}.List(t.Context(), vmss.ListOptions{Within: 50 * time.Second, Expected: 24})
		require.NoError(t, err)
		assert.Len(t, s.requests, 8)
	})
}

// TestListTellsItsPages: who waits for a list can work with what it has shown, and
// learns when it has to wait.
func TestListTellsItsPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := newClient(t, pagesOf(20, 0)[1:]...)
		begun := time.Now()
		var pages, instances, waits int
		all, err := uniform{c}.List(t.Context(), vmss.ListOptions{
			Page: func(p vmss.Page) { pages, instances = pages+1, instances+len(p.Instances) },
			Wait: func(wait time.Duration) {
				assert.InDelta(t, 6, wait.Seconds(), 1, "ten pages a minute")
				waits++
			},
		})
		require.NoError(t, err)
		assert.Equal(t, []int{20, 60, 60, 19}, []int{pages, instances, len(all), waits})
		assert.Len(t, s.requests, 20)
		assert.InDelta(t, 19*6, time.Since(begun).Seconds(), 8)
	})
}

// hanging never responds.
type hanging struct{}

func (hanging) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestPageThatHangs: each page has a deadline, its tries included.
func TestPageThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(cfg, Options{Transport: hanging{}, Credential: &fake.TokenCredential{}})
		require.NoError(t, err)
		for _, list := range []func() error{
			func() error { _, err := uniform{c}.List(t.Context(), vmss.ListOptions{}); return err },
			func() error { _, err := flexible{c}.Interfaces(t.Context()); return err },
		} {
			begun := time.Now()
			require.Error(t, list())
			assert.LessOrEqual(t, time.Since(begun), readTimeout)
		}
	})
}
