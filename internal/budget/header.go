package budget

import (
	"net/http"
	"strconv"
	"strings"
)

// limits is the header in which a provider names the limits that a request counted
// against.
func limits(h http.Header) string {
	return strings.Join(h.Values("x-ms-ratelimit-remaining-resource"), ",")
}

// remaining returns the lowest count among the limits that count calls, as in
// "Microsoft.Compute/HighCostGetVMScaleSetResource;29". Others count VMs.
func remaining(h http.Header) (least float64, ok bool) {
	for _, entry := range strings.Split(limits(h), ",") {
		name, text, _ := strings.Cut(strings.TrimSpace(entry), ";")
		left, isCount := count(text)
		if !isCount || !countsCalls(name) {
			continue
		}
		if !ok || left < least {
			least, ok = left, true
		}
	}
	return least, ok
}

func count(text string) (float64, bool) {
	n, err := strconv.Atoi(text)
	return float64(n), err == nil
}

func countsCalls(limit string) bool {
	if strings.Contains(limit, "VMViews") || strings.Contains(limit, "BatchedVM") {
		return false
	}
	return strings.HasSuffix(limit, "Resource") || strings.HasSuffix(limit, "SubscriptionMaximum")
}

// sharesWrites reports whether a deletion counted against the limit on the writes to a
// scale set: updates have one of their own on Microsoft's page, and a recorded PATCH (API
// version 2020-12-01) that of actions.
func sharesWrites(h http.Header) bool {
	return strings.Contains(limits(h), "UpdateVMScaleSetResource") || strings.Contains(limits(h), "VMScaleSetActionsResource")
}
