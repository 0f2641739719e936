package armerr

import (
	"regexp"
	"strings"
	"unicode"
)

const (
	maxMessage      = 300 // characters; the beginning of Azure's longer texts is enough
	maxChainMessage = 600 // characters; a chain of credentials has many errors
	maxWord         = 100 // characters; for codes and request IDs
	maxScope        = 500 // characters; a resource ID is never longer
	maxHint         = 800 // characters; a fix may hold a resource ID
)

// secretPattern matches what must never be printed. Azure's responses contain none;
// those of a proxy or a test double might.
var secretPattern = regexp.MustCompile(`(?i)\b(client_secret|client_assertion|assertion|access_token|refresh_token|id_token|password|sig)` +
	`("?\s*[=:]\s*"?)[^\s"&,;]+|(bearer\s+)[a-z0-9._~+/-]{16,}=*|eyJ[a-z0-9_-]{8,}\.[a-z0-9_-]*\.?[a-z0-9_-]*`)

// Line returns s in one line of bounded length, without secrets, control
// characters or a full stop at the end.
func Line(s string) string { return line(s, maxMessage) }

func line(s string, limit int) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	})
	s = secretPattern.ReplaceAllString(strings.Join(words, " "), "${1}${2}${3}[hidden]")
	s = strings.TrimRight(s, ". ")
	if runes := []rune(s); len(runes) > limit {
		s = strings.TrimRight(string(runes[:limit-1]), ". ") + "…"
	}
	return s
}

// lineWith is Line with a part that is kept whole: where the limit would cut it, or
// the text before it, it comes after the cut.
func lineWith(s, part string) string {
	text, part := Line(s), line(part, maxScope)
	if part == "" || strings.Contains(text, part) {
		return text
	}
	return text + " " + part
}

func short(s string) string { return line(s, maxWord) }

// credentialChain shortens the SDK's error of a chain of credentials.
func credentialChain(s string) string {
	s = strings.ReplaceAll(s, "failed to acquire a token.\nAttempted credentials:\n\t", "no credential worked: ")
	s = strings.ReplaceAll(s, "\n\t", "; ")
	s = troubleshoot.ReplaceAllString(s, "")
	return line(strings.ReplaceAll(s, ".; ", "; "), maxChainMessage)
}

var troubleshoot = regexp.MustCompile(`(?:\.\s+)?To troubleshoot, visit \S+`)
