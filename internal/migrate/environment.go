package migrate

import (
	"bytes"
	"regexp"
	"strings"
)

// variable is one assignment of an environment file.
type variable struct {
	name  string
	value string
	line  int
	// unread: the value uses the shell, which is not run here.
	unread bool
}

var assignment = regexp.MustCompile(`^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)

// parseEnvironment reads a file of shell assignments, with or without export, as it
// is sourced before the runner, or as systemd's EnvironmentFile has it. It returns
// the lines that it does not understand.
func parseEnvironment(text []byte) (variables []variable, unknown []int) {
	for i, raw := range strings.Split(string(bytes.TrimPrefix(text, []byte(byteOrderMark))), "\n") {
		line := strings.TrimSpace(raw)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := assignment.FindStringSubmatch(line)
		if m == nil {
			unknown = append(unknown, i+1)
			continue
		}
		v, ok := unquote(m[2])
		variables = append(variables, variable{name: m[1], value: v, line: i + 1, unread: !ok})
	}
	return variables, unknown
}

// unquote returns the value of an assignment as a shell has it, false if that takes
// a shell.
func unquote(s string) (string, bool) {
	switch {
	case strings.HasPrefix(s, `'`):
		inner, rest, found := strings.Cut(s[1:], `'`)
		return inner, found && endsValue(rest)
	case strings.HasPrefix(s, `"`):
		return unquoteDouble(s[1:])
	}
	word := s
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		word = s[:i]
		if !endsValue(s[i:]) {
			return s, false
		}
	}
	return word, !strings.ContainsAny(word, "$`\\\"';&|<>()")
}

func unquoteDouble(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), endsValue(s[i+1:])
		case c == '$' || c == '`':
			return s, false
		case c == '\\' && i+1 < len(s) && strings.IndexByte("\"\\$`", s[i+1]) >= 0:
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return s, false
}

// endsValue reports whether nothing but a comment follows a value.
func endsValue(rest string) bool {
	trimmed := strings.TrimSpace(rest)
	return trimmed == "" || trimmed != rest && trimmed[0] == '#'
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_.~+/=@:-]+$`)

// quoteEnvironment quotes a value for both a shell and systemd's EnvironmentFile.
func quoteEnvironment(v string) string {
	switch {
	case plainWord.MatchString(v):
		return v
	case !strings.Contains(v, `'`):
		return `'` + v + `'`
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(v) + `"`
}
