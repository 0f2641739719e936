package migrate

import (
	"cmp"
	"slices"
)

// Verdict is what becomes of an option.
type Verdict string

// The verdicts, in the order in which they are shown.
const (
	Decision Verdict = "decision" // a person has to decide or to supply something
	Changed  Verdict = "changed"  // it is still there, and means something else
	Dropped  Verdict = "dropped"  // it has no counterpart
	Mapped   Verdict = "mapped"   // it means the same
)

// Verdicts are all verdicts in the order in which they are shown.
var Verdicts = []Verdict{Decision, Changed, Dropped, Mapped}

// Headings explain the verdicts.
var Headings = map[Verdict]string{
	Decision: "Needs a decision",
	Changed:  "Mapped, with a changed meaning",
	Dropped:  "Dropped",
	Mapped:   "Mapped",
}

// Source is the file that a note is about.
type Source string

// The files that options are read from.
const (
	FromConfig      Source = "config"
	FromEnvironment Source = "environment"
)

// Note says what becomes of one option.
type Note struct {
	Verdict Verdict `json:"verdict"`
	Runner  string  `json:"runner,omitempty"` // name of the [[runners]], empty for all of them
	Option  string  `json:"option"`
	Source  Source  `json:"source"`
	Line    int     `json:"line,omitempty"` // 0: the option is not in the file
	Text    string  `json:"text"`
}

// sortNotes groups notes by verdict, and keeps the order of lines in each group.
func sortNotes(notes []Note) {
	slices.SortStableFunc(notes, func(a, b Note) int {
		if c := cmp.Compare(slices.Index(Verdicts, a.Verdict), slices.Index(Verdicts, b.Verdict)); c != 0 {
			return c
		}
		if c := cmp.Compare(a.Source, b.Source); c != 0 {
			return c
		}
		return cmp.Compare(a.Line, b.Line)
	})
}
