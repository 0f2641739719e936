package preflight

import (
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Severity is how bad a finding is.
type Severity int

const (
	// Refusal: the scale set must not be used, as jobs would be killed.
	Refusal Severity = iota
	// Warning: something costs time or money, or may surprise.
	Warning
)

// Finding is a problem of a scale set's model.
type Finding struct {
	Severity Severity
	Problem  string // one line, in lower case
	Fix      string // what to do, often a command
}

// Check returns all findings about a scale set, refusals first.
func Check(set vmss.ScaleSet) []Finding {
	var all []Finding
	for _, table := range []struct {
		severity Severity
		checks   []check
	}{{Refusal, refusals}, {Warning, warnings}} {
		for _, c := range table.checks {
			if c.found(set) {
				all = append(all, Finding{table.severity, c.problem, strings.ReplaceAll(c.fix, "%s", set.ID)})
			}
		}
	}
	return all
}

// Autoscale is the finding about enabled autoscale settings of Azure Monitor that target a
// scale set; false: there are none.
func Autoscale(settings []string) (Finding, bool) {
	return Finding{
		Warning, fmt.Sprintf("Azure autoscale is attached (%s) and will delete instances while jobs run", strings.Join(settings, ", ")),
		"disable or delete these autoscale settings; the runner alone decides how many instances there are",
	}, len(settings) > 0
}

// Refuse returns the refusals among the findings about a scale set as one error in
// one line, nil if there are none.
func Refuse(set vmss.ScaleSet, findings []Finding) error {
	var all []string
	for _, f := range findings {
		if f.Severity == Refusal {
			all = append(all, f.Problem+"; fix: "+f.Fix)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return fmt.Errorf("scale set %q cannot serve jobs: %s", set.Name, strings.Join(all, "; "))
}
