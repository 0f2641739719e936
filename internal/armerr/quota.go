package armerr

import (
	"errors"
	"regexp"
	"strconv"
)

// Headroom is the figures of a quota error, in units of the quota, such as vCPUs.
// Required is what the rejected request would have added.
type Headroom struct{ Limit, Usage, Required int }

// As in "Current Limit: 20, Current Usage: 18, Additional Required: 4"
// (karpenter-provider-azure#192; the simulator's recording 08 has an older wording).
var quotaFigures = regexp.MustCompile(`(?i)current limit: (\d+), current usage: (\d+), additional required: (\d+)`)

// HeadroomOf returns the figures of a quota error, false if err has none.
func HeadroomOf(err error) (Headroom, bool) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != Quota {
		return Headroom{}, false
	}
	m := quotaFigures.FindStringSubmatch(e.Message)
	if m == nil {
		return Headroom{}, false
	}
	var figures [3]int
	for n := range figures {
		if figures[n], _ = strconv.Atoi(m[n+1]); figures[n] < 0 {
			return Headroom{}, false
		}
	}
	return Headroom{figures[0], figures[1], figures[2]}, true
}

// Fits returns how many of n instances, which together exceed the quota, still fit.
func (q Headroom) Fits(n int) int {
	if q.Required <= 0 {
		return 0
	}
	return max(0, min(n-1, n*(q.Limit-q.Usage)/q.Required))
}
