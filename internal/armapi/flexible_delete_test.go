package armapi

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

var (
	notForMode = reply{status: 400, body: `{"error":{"code":"BadRequest","message":"Operation 'VirtualMachineScaleSets.delete.POST' is not allowed on Virtual Machine Scale Set 'ci'."}}`}
	forbidden  = reply{status: 403, body: `{"error":{"code":"AuthorizationFailed","message":"No."}}`}
	notFound   = reply{status: 404, body: `{"error":{"code":"ResourceNotFound","message":"Gone."}}`}
	accepted   = reply{status: 202, header: http.Header{"Azure-Asyncoperation": {"https://management.azure.com/o"}}}
)

func (s *script) requestLines() []string {
	var all []string
	for _, r := range s.requests {
		all = append(all, r.Method+" "+r.URL.Path[len("/subscriptions/sub/resourceGroups/rg/providers/Microsoft.Compute/"):])
	}
	return all
}

// The deletion goes through the scale set, so that its capacity falls.
func TestFlexibleDeletion(t *testing.T) {
	c, s := newClient(t, accepted)
	done, o, err := flexible{c}.Delete(t.Context(), []string{"a", "b"})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, done)
	assert.EqualValues(t, "https://management.azure.com/o", o)
	assert.Equal(t, []string{"POST virtualMachineScaleSets/ci/delete"}, s.requestLines())
	assert.JSONEq(t, `{"instanceIds":["a","b"]}`, s.bodies[0])
}

// Microsoft's pages contradict each other on batch calls in Flexible
// orchestration: a refusal falls back to the VMs themselves.
func TestFlexibleDeletionFallsBackToVMs(t *testing.T) {
	c, s := newClient(t, notForMode, forbidden, accepted, notFound)
	done, o, err := flexible{c}.Delete(t.Context(), []string{"a", "b", "c"})
	require.ErrorContains(t, err, `delete virtual machine "a" of scale set "ci": AuthorizationFailed (403)`)
	assert.Equal(t, []string{"b", "c"}, done, "one refusal does not affect the others, and a VM that is gone counts as deleted")
	assert.Empty(t, o, "there are several operations")
	assert.Equal(t, []string{
		"POST virtualMachineScaleSets/ci/delete", "DELETE virtualMachines/a", "DELETE virtualMachines/b", "DELETE virtualMachines/c",
	}, s.requestLines())

	c, _ = newClient(t, notForMode, accepted)
	done, _, err = flexible{c}.Delete(t.Context(), []string{"a", "b"})
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, done)
}

func TestFlexibleDeletionReportsSeveralErrorsInOneLine(t *testing.T) {
	c, _ := newClient(t, notForMode, forbidden)
	done, _, err := flexible{c}.Delete(t.Context(), []string{"a", "b", "c", "d", "e"})
	require.ErrorContains(t, err, "and 2 more")
	assert.Equal(t, armerr.Forbidden, armerr.KindOf(err))
	assert.NotContains(t, err.Error(), "\n")
	assert.Empty(t, done)
}

func TestFlexibleOtherRefusalsAreErrors(t *testing.T) {
	for _, in := range []func(*Client) ([]string, error){
		func(c *Client) ([]string, error) {
			done, _, err := flexible{c}.Delete(t.Context(), []string{"a"})
			return done, err
		},
		func(c *Client) ([]string, error) {
			done, _, err := uniform{c}.Delete(t.Context(), []string{"a"})
			return done, err
		},
	} {
		c, s := newClient(t, forbidden)
		done, err := in(c)
		require.ErrorContains(t, err, `delete 1 instances of scale set "ci": AuthorizationFailed (403)`)
		assert.Empty(t, done)
		assert.Len(t, s.requests, 1, "no VM is deleted on its own")
	}
}

// An error that would affect every other VM, too, ends the deletion.
func TestFlexibleDeletionEndsWithASystemicError(t *testing.T) {
	c, s := newClient(t, notForMode, accepted, reply{status: 429, header: http.Header{"Retry-After": {"1200"}}})
	done, _, err := flexible{c}.Delete(t.Context(), []string{"a", "b", "c", "d"})
	require.True(t, armerr.Is(err, armerr.Throttled), err)
	assert.Equal(t, []string{"a"}, done)
	assert.Equal(t, []string{
		"POST virtualMachineScaleSets/ci/delete", "DELETE virtualMachines/a", "DELETE virtualMachines/b",
	}, s.requestLines())
}

// hangingTransport refuses batches and never responds to other deletions.
type hangingTransport struct{}

func (hangingTransport) Do(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost {
		return (&script{replies: []reply{notForMode}}).Do(r)
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// When Azure does not respond, the caller must not wait one timeout for each VM.
func TestFlexibleDeletionIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(cfg, Options{Transport: hangingTransport{}, Credential: &fake.TokenCredential{}})
		require.NoError(t, err)
		names := make([]string, 100)
		for n := range names {
			names[n] = "vm"
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		done, _, err := flexible{c}.Delete(ctx, names)
		require.Error(t, err)
		assert.Empty(t, done)
		assert.LessOrEqual(t, time.Since(begun), writeTimeout+30*time.Second)
		assert.Less(t, len(err.Error()), 1000)
	})
}
