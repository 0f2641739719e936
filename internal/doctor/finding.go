package doctor

import "slices"

// Level is how bad a finding is.
type Level string

// The levels. Only a fault makes the whole fail.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Fault   Level = "fault"
	Skipped Level = "skipped" // could not be looked at, which is no fault of what it is about
)

// Finding is what a check found. Its texts are for people, and hold no secret.
type Finding struct {
	Check string `json:"check"` // stable, for machines: as in "policy-order"
	Level Level  `json:"level"`
	About string `json:"about"`          // the runner, file or Azure resource
	Line  int    `json:"line,omitempty"` // in the configuration; 0: none
	Text  string `json:"text"`           // one line
	Fix   string `json:"fix,omitempty"`  // what to change or to paste, may have lines
}

// Report is all findings, in the order of the checks.
type Report struct {
	Findings []Finding `json:"findings"`
}

// Worst is the worst level in a report.
func (r *Report) Worst() Level {
	worst := OK
	for _, f := range r.Findings {
		if rank(f.Level) > rank(worst) {
			worst = f.Level
		}
	}
	return worst
}

func rank(l Level) int { return slices.Index([]Level{OK, Skipped, Warning, Fault}, l) }

// Count is how many findings have a level.
func (r *Report) Count(l Level) (n int) {
	for _, f := range r.Findings {
		if f.Level == l {
			n++
		}
	}
	return n
}

// check is one question. run returns what is wrong; where nothing is, passed tells what
// was found to be right, and where that is empty nothing is said.
type check struct {
	name   string
	passed string
	run    func(*subject) []Finding
}

// subject is what is examined: one runner of a configuration.
type subject struct {
	Options
	name string // of the runner
	runner
}

// examine runs checks, and names each finding's check and object.
func examine(s *subject, checks []check) (all []Finding) {
	for _, c := range checks {
		found := c.run(s)
		if len(found) == 0 && c.passed != "" {
			found = []Finding{{Level: OK, Text: c.passed}}
		}
		for _, f := range found {
			f.Check = c.name
			if f.About == "" {
				f.About = s.name
			}
			all = append(all, f)
		}
	}
	return all
}

func warning(line int, text, fix string) Finding {
	return Finding{Level: Warning, Line: line, Text: text, Fix: fix}
}

func fault(line int, text, fix string) Finding {
	return Finding{Level: Fault, Line: line, Text: text, Fix: fix}
}
