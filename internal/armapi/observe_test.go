package armapi

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

type told struct {
	mu        sync.Mutex
	responded map[string]int // by operation, class and status
	withheld  map[budget.Class]int
}

func (o *told) Responded(operation string, class budget.Class, status int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.responded[operation+", "+string(class)+", "+strconv.Itoa(status)]++
}

func (o *told) Withheld(class budget.Class) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.withheld[class]++
}

func observedClient(t *testing.T, replies ...reply) (*Client, *told) {
	o := &told{responded: map[string]int{}, withheld: map[budget.Class]int{}}
	now := time.Now()
	c, err := New(cfg, Options{
		Transport: &script{replies: replies}, Credential: &fake.TokenCredential{}, Now: func() time.Time { return now }, Observer: o,
	})
	require.NoError(t, err)
	return c, o
}

// Each try counts, whether it is answered or not; what the budget holds back does not.
func TestObserver(t *testing.T) {
	c, o := observedClient(t, reply{err: errors.New("no route to host")}, reply{status: 500}, reply{status: 429, header: http.Header{"Retry-After": {"1200"}}})
	for range 3 {
		_, err := c.Instances(vmss.Uniform).List(t.Context(), vmss.ListOptions{})
		require.Error(t, err)
	}
	list := armops.ListInstances + ", " + string(budget.ListInstances) + ", "
	assert.Equal(t, map[string]int{list + "0": 1, list + "500": 1, list + "429": 1}, o.responded)
	assert.Equal(t, map[budget.Class]int{budget.ListInstances: 2}, o.withheld)

	left := c.Budget()
	assert.Len(t, left, len(budget.Classes()))
	assert.Zero(t, left[budget.ListInstances])
	assert.Positive(t, left[budget.ReadScaleSet])
}

func TestObserverOfUnknownOperations(t *testing.T) {
	c, o := observedClient(t, reply{status: 200, body: `{"status":"Succeeded"}`})
	_, err := c.Progress(t.Context(), vmss.Operation(c.generic.Endpoint()+"/subscriptions/s/providers/Microsoft.Compute/unheard/of"))
	require.NoError(t, err)
	require.Len(t, o.responded, 1)
	for key := range o.responded {
		assert.Regexp(t, `^other, `, key)
	}
}
