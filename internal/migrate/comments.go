package migrate

import (
	"cmp"
	"slices"
	"strings"
)

// commentsIn returns the comments in a part of the text that holds settings of r, in
// order. The parser leaves out those that follow a key or a header on its line.
func (d *document) commentsIn(r *runner, s span) []span {
	var all []span
	for _, c := range d.comments {
		if c.start >= s.start && c.end <= s.end {
			all = append(all, c)
		}
	}
	for _, e := range r.machine {
		if e.start < s.start || e.end > s.end || !strings.HasPrefix(d.rest(e), "#") {
			continue
		}
		end := d.lineEnd(e.end)
		start := e.end + strings.Index(string(d.text[e.end:end]), "#")
		all = append(all, span{start, end})
	}
	slices.SortFunc(all, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	return slices.CompactFunc(all, func(a, b span) bool { return a.start == b.start })
}
