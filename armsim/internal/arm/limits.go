package arm

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
)

// limit is one of Azure's token buckets: perMinute tokens flow in, up to burst.
// The figures are those of Microsoft's compute-throttling-limits page; names
// not seen in recorded headers are believed.
type limit struct {
	name      string
	perMinute float64
	burst     float64
	resource  bool // one bucket for each resource, else one for the subscription
}

// bucketed names the buckets that a route's calls draw from.
type bucketed string

const (
	limitNone         bucketed = ""
	limitScaleSetGet  bucketed = "scale set get"
	limitScaleSetPut  bucketed = "scale set update"
	limitScaleSetKill bucketed = "scale set delete"
	limitScaleSetAct  bucketed = "scale set action"
	limitScaleSetList bucketed = "scale set high-cost get"
	limitInstanceGet  bucketed = "instance get"
	limitInstancePut  bucketed = "instance update"
	limitInstanceKill bucketed = "instance delete"
	limitMachineGet   bucketed = "virtual machine get"
	limitMachinePut   bucketed = "virtual machine update"
	limitMachineKill  bucketed = "virtual machine delete"
	limitMachineList  bucketed = "virtual machine list"
	limitOperation    bucketed = "operation get"
)

func limitsOf(b bucketed) []limit {
	pair := func(name string, rate, burst, subRate, subBurst float64) []limit {
		return []limit{
			{name + "Resource", rate, burst, true},
			{name + "SubscriptionMaximum", subRate, subBurst, false},
		}
	}
	switch b {
	case limitScaleSetGet:
		return pair("GetVMScaleSet", 12, 36, 800, 2400)
	case limitScaleSetPut:
		return pair("UpdateVMScaleSet", 4, 12, 500, 1500)
	case limitScaleSetKill:
		return pair("DeleteVMScaleSet", 4, 12, 175, 525)
	case limitScaleSetAct:
		return []limit{{"VMScaleSetActionsSubscriptionMaximum", 500, 1500, false}}
	case limitScaleSetList:
		return pair("HighCostGetVMScaleSet", 10, 30, 360, 1080)
	case limitInstanceGet:
		return pair("GetVMScaleSetVM", 12, 36, 2000, 6000)
	case limitInstancePut:
		return pair("UpdateVMScaleSetVM", 4, 12, 500, 1500)
	case limitInstanceKill:
		return pair("DeleteVMScaleSetVM", 4, 12, 500, 1500)
	case limitMachineGet:
		return pair("LowCostGetVM", 12, 36, 8000, 24000)
	case limitMachinePut:
		return pair("UpdateVM", 4, 12, 500, 1500)
	case limitMachineKill:
		return pair("DeleteVM", 4, 12, 500, 1500)
	case limitMachineList:
		return []limit{{"ListVMSubscriptionMaximum", 300, 900, false}}
	case limitOperation:
		return pair("GetOperation", 15, 45, 5000, 15000)
	}
	return nil
}

type bucket struct {
	tokens float64
	filled time.Time
}

// limiter keeps the buckets; the world's lock guards it.
type limiter struct {
	enforce bool
	buckets map[string]*bucket
}

// draw takes one token from each bucket and writes the remaining calls to
// header. It is a 429 when enforcing and a bucket is empty.
func (l *limiter) draw(all []limit, resource string, now time.Time, header http.Header) *problem {
	if len(all) == 0 {
		return nil
	}
	var remaining []string
	for _, lim := range all {
		if tokens := l.bucket(lim, resource, now).tokens; tokens < 1 && l.enforce {
			return azhttp.Throttled(lim.name, int(math.Ceil((1-tokens)/lim.perMinute*60)))
		}
	}
	for _, lim := range all {
		state := l.bucket(lim, resource, now)
		state.tokens = max(0, state.tokens-1)
		remaining = append(remaining, fmt.Sprintf("Microsoft.Compute/%s;%d", lim.name, int(state.tokens)))
	}
	header.Set("x-ms-ratelimit-remaining-resource", strings.Join(remaining, ","))
	header.Set("x-ms-request-charge", "1")
	return nil
}

func (l *limiter) bucket(lim limit, resource string, now time.Time) *bucket {
	key := lim.name
	if lim.resource {
		key += "|" + strings.ToLower(resource)
	}
	state, ok := l.buckets[key]
	if !ok {
		state = &bucket{tokens: lim.burst, filled: now}
		l.buckets[key] = state
	}
	state.tokens = min(lim.burst, state.tokens+now.Sub(state.filled).Minutes()*lim.perMinute)
	state.filled = now
	return state
}
