package config

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	maxShown    = 140
	maxProblems = 20
	notShown    = "(value not shown)"
)

// Problems are all the mistakes found in one plugin_config.
type Problems []string

// Error joins the problems in one line.
func (p Problems) Error() string {
	var b strings.Builder
	for i, problem := range p {
		if i == maxProblems {
			fmt.Fprintf(&b, "; plugin_config: and %d more", len(p)-maxProblems)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString("plugin_config: " + problem)
	}
	return b.String()
}

// secretPattern is the form of client secrets of Entra ID, according to
// https://github.com/gitleaks/gitleaks/blob/master/cmd/generate/config/rules/azure.go
var secretPattern = regexp.MustCompile(`[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}`)

// looksSecret reports whether v looks like a key, a certificate or a client secret,
// or like a URL with a password or a signature.
func looksSecret(v string) bool {
	if strings.Contains(v, "-----BEGIN") || secretPattern.MatchString(v) {
		return true
	}
	return strings.Contains(v, "://") && strings.ContainsAny(v, "@?")
}

// show quotes a key or a value for an error.
func show(v string) string {
	if looksSecret(v) {
		return notShown
	}
	if utf8.RuneCountInString(v) > maxShown {
		v = string([]rune(v)[:maxShown]) + "…"
	}
	return fmt.Sprintf("%q", v)
}

func orList(items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	last := len(items) - 1
	return strings.Join(items[:last], ", ") + " or " + items[last]
}
