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

// rule says of which kind an answer is. All conditions that are set must hold.
type rule struct {
	origin origin
	status int      // exact, or serverError
	bare   bool     // the answer holds no code at all
	codes  []string // one of them, at any depth, in any case
	target string
	text   []string // all of them, in lower case

	kind Kind
	hint hint
}

func (r rule) matches(a answer) bool {
	return r.origin == a.origin &&
		(r.status == 0 || r.status == a.status || r.status == serverError && a.status >= 500) &&
		(!r.bare || a.code == "") &&
		(len(r.codes) == 0 || slices.ContainsFunc(r.codes, a.hasCode)) &&
		(r.target == "" || slices.ContainsFunc(a.targets, func(t string) bool { return strings.EqualFold(t, r.target) })) &&
		!slices.ContainsFunc(r.text, func(t string) bool { return !strings.Contains(a.text, t) })
}

func (a answer) hasCode(code string) bool {
	return slices.ContainsFunc(a.codes, func(c string) bool { return strings.EqualFold(c, code) })
}

// hint writes what mends an error.
type hint func(a answer) string

func say(s string) hint { return func(answer) string { return s } }

var action = regexp.MustCompile(`action\(?s?\)? '?"?([A-Za-z0-9]+\.[A-Za-z0-9]+/[A-Za-z0-9/]+)`)

// askRole names the action that the identity lacks, as Azure's message does.
// Where an action on a linked resource is missing, the message names the one
// that is allowed first.
func askRole(a answer) string {
	const wait = "; a new assignment takes some minutes to work"
	all := action.FindAllStringSubmatch(a.full, -1)
	if len(all) == 0 {
		return "assign the identity a role that allows this on the resource group" + wait
	}
	return fmt.Sprintf("assign the identity a role with the action %s on the resource group%s", all[len(all)-1][1], wait)
}

func askPatience(a answer) string {
	if a.retryAfter == 0 {
		return "wait a minute before the next try; other tools that call Azure often use up the same limit"
	}
	return fmt.Sprintf("wait %s before the next try; other tools that call Azure often use up the same limit",
		a.retryAfter.Round(time.Second))
}
