package wildcard

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"a", "A", true}, {"a", "ab", false}, {"*", "", true}, {"*", "x", true}, {"a*", "Ab", true}, {"a*", "ba", false},
		{"*_List*", "VirtualMachines_ListAll", true}, {"a*b*c", "aXbYc", true}, {"a*b*c", "acb", false}, {"ab*ba", "aba", false},
	} {
		assert.Equal(t, c.want, Match(c.pattern, c.s), "%s %s", c.pattern, c.s)
	}
}
