package armerr

import (
	"regexp"
	"strings"
	"unicode"
)

const (
	maxMessage = 300 // characters; the head of Azure's longer texts says it all
	maxChain   = 600 // characters; a chain of credentials fails in many parts
	maxWord    = 100 // characters; for codes and request IDs
)

// secrets matches what must never be printed, wherever it turns up. Azure's
// answers have no reason to hold any; a proxy's or a test double's might.
var secrets = regexp.MustCompile(`(?i)\b(client_secret|client_assertion|assertion|access_token|refresh_token|id_token|password|sig)` +
	`("?\s*[=:]\s*"?)[^\s"&,;]+|(bearer\s+)[a-z0-9._~+/-]{16,}=*|eyJ[a-z0-9_-]{8,}\.[a-z0-9_-]*\.?[a-z0-9_-]*`)

// Line returns s in one line of bounded length, without secrets, control
// characters or a full stop at the end.
func Line(s string) string { return line(s, maxMessage) }

func line(s string, limit int) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	})
	s = secrets.ReplaceAllString(strings.Join(words, " "), "${1}${2}${3}[hidden]")
	s = strings.TrimRight(s, ". ")
	if runes := []rune(s); len(runes) > limit {
		s = strings.TrimRight(string(runes[:limit-1]), ". ") + "…"
	}
	return s
}

func short(s string) string { return line(s, maxWord) }

// chain shortens the SDK's report of a chain of credentials.
func chain(s string) string {
	s = strings.ReplaceAll(s, "failed to acquire a token.\nAttempted credentials:\n\t", "no credential worked: ")
	s = strings.ReplaceAll(s, "\n\t", "; ")
	s = troubleshoot.ReplaceAllString(s, "")
	return line(strings.ReplaceAll(s, ".; ", "; "), maxChain)
}

var troubleshoot = regexp.MustCompile(`(?:\.\s+)?To troubleshoot, visit \S+`)
