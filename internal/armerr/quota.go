package armerr

import (
	"errors"
	"regexp"
	"strconv"
)

// Headroom is what a refusal for want of quota tells, in units of the quota, as
// vCPUs. Required is what the refused request would have added.
type Headroom struct{ Limit, Usage, Required int }

// As in "Current Limit: 20, Current Usage: 18, Additional Required: 4"
// (karpenter-provider-azure#192; the simulator's recording 08 has an older wording).
var quotaFigures = regexp.MustCompile(`(?i)current limit: (\d+), current usage: (\d+), additional required: (\d+)`)

// HeadroomOf reads the figures of a refusal for want of quota.
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

// Fits is how many of n things, which together were too much, would do.
func (q Headroom) Fits(n int) int {
	if q.Required <= 0 {
		return 0
	}
	return max(0, min(n-1, n*(q.Limit-q.Usage)/q.Required))
}
