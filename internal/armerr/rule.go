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

func (r rule) matches(a details) bool {
	return r.origin == a.origin &&
		(r.status == 0 || r.status == a.status || r.status == serverError && a.status >= 500) &&
		(!r.noCode || a.code == "") &&
		(len(r.codes) == 0 || slices.ContainsFunc(r.codes, a.hasCode)) &&
		(r.target == "" || slices.ContainsFunc(a.targets, func(t string) bool { return strings.EqualFold(t, r.target) })) &&
		!slices.ContainsFunc(r.text, func(t string) bool { return !strings.Contains(a.text, t) })
}

func (a details) hasCode(code string) bool {
	return slices.ContainsFunc(a.codes, func(c string) bool { return strings.EqualFold(c, code) })
}

// hint returns the fix.
type hint func(a details) string

func fixedHint(s string) hint { return func(details) string { return s } }

var actionPattern = regexp.MustCompile(`action\(?s?\)? '?"?([A-Za-z0-9]+\.[A-Za-z0-9]+/[A-Za-z0-9/]+)`)

// roleHint names the action that the identity lacks, taken from Azure's message.
// If an action on a linked resource is missing, the message first names one that
// is allowed.
func roleHint(a details) string {
	const wait = "; a new assignment takes a few minutes to take effect"
	all := actionPattern.FindAllStringSubmatch(a.full, -1)
	if len(all) == 0 {
		return "assign the identity a role that allows this on the resource group" + wait
	}
	return fmt.Sprintf("assign the identity a role with the action %s on the resource group%s", all[len(all)-1][1], wait)
}

func throttleHint(a details) string {
	if a.retryAfter == 0 {
		return "wait a minute before the next try; other tools that call Azure often use up the same limit"
	}
	return fmt.Sprintf("wait %s before the next try; other tools that call Azure often use up the same limit",
		a.retryAfter.Round(time.Second))
}
