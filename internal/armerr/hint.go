package armerr

import (
	"fmt"
	"time"
)

// hint returns the fix.
type hint func(d details) string

func fixedHint(s string) hint { return func(details) string { return s } }

// subjectHint puts what the error is about in place of %s.
func subjectHint(format string) hint {
	return func(d details) string { return fmt.Sprintf(format, d.subject) }
}

// missingAction is the action that the identity lacks, taken from Azure's message,
// empty if that names none. If an action on a linked resource is missing, the
// message first names one that is allowed.
func (d details) missingAction() string {
	all := actionPattern.FindAllStringSubmatch(d.full, -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

const assignmentWait = "; a new assignment takes a few minutes to take effect"

// roleHint is for an action on the scale set or a scope above it.
func roleHint(d details) string {
	action := d.missingAction()
	if action == "" {
		return "assign the identity a role that allows this on the resource group" + assignmentWait
	}
	return fmt.Sprintf("assign the identity a role with the action %s on the resource group%s", action, assignmentWait)
}

// linkedRoleHint is for an action on something that the scale set links to, which
// is often in another resource group. Role names a built-in role that has it.
func linkedRoleHint(role string) hint {
	return func(d details) string {
		action := d.missingAction()
		if action == "" {
			action = "that the message names"
		}
		if role != "" {
			action += fmt.Sprintf(" (%s has it)", role)
		}
		return fmt.Sprintf("assign the identity a role with the action %s on %s%s", action, d.subject, assignmentWait)
	}
}

func throttleHint(d details) string {
	if d.retryAfter == 0 {
		return "wait a minute before the next try; other tools that call Azure often use up the same limit"
	}
	return fmt.Sprintf("wait %s before the next try; other tools that call Azure often use up the same limit",
		d.retryAfter.Round(time.Second))
}

// foreignHint is for a response that did not come from Azure.
func foreignHint(rest string) hint {
	return func(d details) string {
		host := d.host
		if host == "" {
			host = "Azure's host"
		}
		return fmt.Sprintf("the response does not come from Azure; check cloud, and "+rest, host)
	}
}
