package migrate

import (
	"fmt"
	"strings"
)

// Azure's limits. A scale set in Uniform orchestration makes computer names of a
// prefix, here the scale set's name, and six characters; one in Flexible orchestration
// of the name, _ and eight (learn.microsoft.com: "Naming rules", "Instance names").
const (
	setNameMax       = 64
	linuxNameMax     = 63
	linuxSuffix      = 9
	windowsPrefixMax = 9 // of 15 characters
)

// proposeName gives the scale set a name: the fixed part of MachineName, or the
// runner's name. Each runner needs a scale set of its own.
func (r *runner) proposeName(taken map[string]bool) {
	most := min(setNameMax, linuxNameMax-linuxSuffix)
	if r.windows() {
		most = windowsPrefixMax
	}
	base := cleanName(strings.ReplaceAll(r.template, "%s", ""))
	if base == "" {
		base = cleanName(r.name)
	}
	if base == "" {
		base = "ci-runners"
	}
	name := cutName(base, most)
	for n := 2; taken[name]; n++ {
		suffix := fmt.Sprintf("-%d", n)
		name = cutName(base, most-len(suffix)) + suffix
	}
	taken[name] = true
	r.scaleSet = name
	if len(base) > most {
		r.note(Changed, "MachineName", FromConfig, 0, fmt.Sprintf("the name of the scale set is cut to %d characters: Azure adds its own, and a computer name has at most %d",
			most, map[bool]int{false: linuxNameMax, true: 15}[r.windows()]))
	}
}

// cleanName leaves what every kind of name may have: lower-case letters, digits, and
// hyphens between them, a letter first.
func cleanName(s string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9' && b.Len() > 0:
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}

func cutName(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.TrimRight(s, "-")
}
