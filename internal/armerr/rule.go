package armerr

import (
	"slices"
	"strings"
)

// serverError stands for any status from 500.
const serverError = 5

// rule maps errors to a kind and a fix. All conditions that are set must match.
type rule struct {
	origin  origin
	status  int      // exact, or serverError
	foreign bool     // the response is not Azure's: it has no code
	page    bool     // the response is a page for people
	codes   []string // one of them, at any depth, in any case
	about   []object // one of them; none: whatever the error is about
	target  string
	text    []string // all of them, in lower case

	kind   Kind
	hint   hint
	source string // where Azure's behaviour is documented or was seen
}

func (r rule) matches(d details) bool {
	return r.origin == d.origin &&
		(r.status == 0 || r.status == d.status || r.status == serverError && d.status >= 500) &&
		(!r.foreign || d.code == "") &&
		(!r.page || d.page) &&
		(len(r.codes) == 0 || slices.ContainsFunc(r.codes, d.hasCode)) &&
		(len(r.about) == 0 || slices.Contains(r.about, d.subject.object)) &&
		(r.target == "" || slices.ContainsFunc(d.targets, func(t string) bool { return strings.EqualFold(t, r.target) })) &&
		!slices.ContainsFunc(r.text, func(t string) bool { return !strings.Contains(d.text, t) })
}

func (d details) hasCode(code string) bool {
	return slices.ContainsFunc(d.codes, func(c string) bool { return strings.EqualFold(c, code) })
}
