package armerr

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// serverError stands for any status from 500.
const serverError = 5

// rule maps responses to a kind. All conditions that are set must match.
type rule struct {
	origin origin
	status int      // exact, or serverError
	noCode bool     // the response has no code
	codes  []string // one of them, at any depth, in any case
	target string
	text   []string // all of them, in lower case

	kind Kind
	hint hint
}

func (r rule) matches(d details) bool {
	return r.origin == d.origin &&
		(r.status == 0 || r.status == d.status || r.status == serverError && d.status >= 500) &&
		(!r.noCode || d.code == "") &&
		(len(r.codes) == 0 || slices.ContainsFunc(r.codes, d.hasCode)) &&
		(r.target == "" || slices.ContainsFunc(d.targets, func(t string) bool { return strings.EqualFold(t, r.target) })) &&
		!slices.ContainsFunc(r.text, func(t string) bool { return !strings.Contains(d.text, t) })
}

func (d details) hasCode(code string) bool {
	return slices.ContainsFunc(d.codes, func(c string) bool { return strings.EqualFold(c, code) })
}

// hint returns the fix.
type hint func(d details) string

func fixedHint(s string) hint { return func(details) string { return s } }

var actionPattern = regexp.MustCompile(`action\(?s?\)? '?"?([A-Za-z0-9]+\.[A-Za-z0-9]+/[A-Za-z0-9/]+)`)

// roleHint names the action that the identity lacks, taken from Azure's message.
// If an action on a linked resource is missing, the message first names one that
// is allowed.
func roleHint(d details) string {
	const wait = "; a new assignment takes a few minutes to take effect"
	all := actionPattern.FindAllStringSubmatch(d.full, -1)
	if len(all) == 0 {
		return "assign the identity a role that allows this on the resource group" + wait
	}
	return fmt.Sprintf("assign the identity a role with the action %s on the resource group%s", all[len(all)-1][1], wait)
}

func throttleHint(d details) string {
	if d.retryAfter == 0 {
		return "wait a minute before the next try; other tools that call Azure often use up the same limit"
	}
	return fmt.Sprintf("wait %s before the next try; other tools that call Azure often use up the same limit",
		d.retryAfter.Round(time.Second))
}
