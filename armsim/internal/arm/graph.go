package arm

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
)

// byGraph reports whether Azure Resource Graph answers: the request asks for it, it is
// a list of instances, and the subscription was given that. Else the provider does,
// without a word (Microsoft's page azure-resource-graph-get-list-api).
func (c *call) byGraph() bool {
	return c.front.config.ResourceGraph && strings.EqualFold(c.query.get("useResourceGraph"), "true") &&
		slices.Contains([]string{"VirtualMachineScaleSetVMs_List", "VirtualMachines_List"}, c.route.operation)
}

// graphRequests are how many requests Resource Graph takes of a principal in the
// subscription within graphWindow, which moves (the same page).
const (
	graphRequests = 4000
	graphWindow   = time.Minute
)

// graphQuota counts requests to Resource Graph; the world's lock guards it.
type graphQuota struct {
	enforce bool
	sent    map[string][]time.Time // by principal, oldest first, those in the window
}

// take counts a request. It returns how many are left, and when the oldest one leaves
// the window; false where there was none left.
func (q *graphQuota) take(principal string, now time.Time) (left int, resets time.Duration, ok bool) {
	sent := q.sent[principal]
	old, _ := slices.BinarySearchFunc(sent, now.Add(-graphWindow), func(at, limit time.Time) int { return at.Compare(limit.Add(1)) })
	sent = sent[old:]
	if ok = len(sent) < graphRequests || !q.enforce; ok {
		sent = append(sent, now)
	}
	q.sent[principal] = sent
	return max(0, graphRequests-len(sent)), sent[0].Add(graphWindow).Sub(now), ok
}

// spendOnGraph draws from Resource Graph's quota instead of Compute's limits.
func (c *call) spendOnGraph() *problem {
	left, resets, ok := c.front.quota.take(c.client, c.front.now())
	resets = resets.Round(time.Second)
	c.header.Set("x-ms-user-quota-remaining", fmt.Sprint(left))
	c.header.Set("x-ms-user-quota-resets-after", time.Time{}.Add(resets).Format(time.TimeOnly))
	if ok {
		return nil
	}
	p := azhttp.NewProblem(http.StatusTooManyRequests, "RateLimiting", "Please provide below info when asking for support: correlationId = %s.", c.correlation)
	p.Details = []problem{{Code: "RateLimiting", Message: "Client application has been throttled and should not attempt to repeat the request until an amount of time has elapsed. Please see https://aka.ms/resourcegraph-throttling for help."}}
	return p
}
