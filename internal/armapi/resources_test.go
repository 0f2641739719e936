package armapi

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
)

// TestOperationsArePolledEverLess: what ends soon is not waited for, and what takes long
// is polled no more than 15 times a minute, which is Azure's limit for one operation.
func TestOperationsArePolledEverLess(t *testing.T) {
	const group = "/subscriptions/sub/resourceGroups/rg"
	running := reply{status: 200, body: `{"status":"InProgress"}`}
	const operation = "https://management.azure.com/subscriptions/sub/providers/Microsoft.Network/locations/l/operations/o"
	for name, c := range map[string]struct {
		polls       int // that find it running
		retryAfter  string
		atLeast, at time.Duration // when it is known to have ended
	}{
		"soon":          {polls: 1, at: time.Second},
		"long":          {polls: 14, atLeast: time.Minute, at: 2 * time.Minute},
		"as Azure asks": {retryAfter: "17", atLeast: 17 * time.Second, at: 18 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				header := http.Header{"Azure-Asyncoperation": {operation}, "Retry-After": {c.retryAfter}}
				replies := append([]reply{{status: 201, body: "{}", header: header}}, slices.Repeat([]reply{running}, c.polls)...)
				replies = append(replies, reply{status: 200, body: `{"status":"Succeeded"}`}, reply{status: 200, body: `{"name":"rg"}`})
				s := &script{replies: replies}
				r, err := NewResources(cfg, Options{Transport: s, Credential: azcore.TokenCredential(&fake.TokenCredential{})})
				require.NoError(t, err)
				began := time.Now()
				var made struct{ Name string }
				require.NoError(t, r.Write(t.Context(), armops.PutGroup, group, struct{}{}, &made))
				assert.Equal(t, "rg", made.Name)
				assert.Len(t, s.requests, c.polls+3)
				assert.GreaterOrEqual(t, time.Since(began), c.atLeast)
				assert.Less(t, time.Since(began), c.at)
			})
		})
	}
}
