// Package wildcard matches names against patterns, as those of Azure's roles.
// It imports nothing of this module.
package wildcard

import "strings"

// Match reports whether s matches the pattern, in any case; "*" in the pattern
// stands for any part.
func Match(pattern, s string) bool {
	return match(strings.ToLower(pattern), strings.ToLower(s))
}

func match(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}
