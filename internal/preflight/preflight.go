package preflight

import (
	"fmt"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Severity is what a finding means for the jobs.
type Severity int

const (
	// Refusal is for a scale set that must not serve: it would kill jobs.
	Refusal Severity = iota
	// Warning is for what costs time or money, or surprises.
	Warning
)

// Finding is something wrong with a scale set's model.
type Finding struct {
	Severity Severity
	Problem  string // one line, in lower case
	Fix      string // what to do, often a command
}

// Check returns all that is wrong with a scale set: refusals first.
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

// Refuse returns the refusals among a scale set's findings as one error of one
// line, nil where there are none.
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
