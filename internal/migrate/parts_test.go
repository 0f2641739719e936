package migrate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestConvertPeriod(t *testing.T) {
	t.Parallel()
	for old, want := range map[string][]string{
		"* * 9-17 * * mon-fri *":   {"* 9-17 * * 1-5"},
		"* * * * * sat,sun *":      {"* * * * 6,0"},
		"* * * * * Saturday,7 *":   {"* * * * 6,0"},
		"* * * * JAN-mar ? *":      {"* * * 1-3 *"},
		"* 0-29 8 * * * *":         {"0-29 8 * * *"},
		"* */20 * * * * *":         {"0,20,40 * * * *"},
		"* 5/20 * * * * *":         {"5,25,45 * * * *"},
		"* 1-9/4 * * * * *":        {"1,5,9 * * * *"},
		"* * * */10 * * *":         {"* * 1,11,21,31 * *"},
		"* * * 1 * mon *":          {"* * 1 * *", "* * * * 1"},
		"* 9 * * * *":              {"* 9 * * *"}, // six fields: minute to year
		"* 9-17 * * mon-fri":       {"* 9-17 * * 1-5"},
		"@daily":                   {"0 0 * * *"},
		"*  *  05 * *\tmon  *":     {"* 5 * * 1"},
		"* * 1,2,,3 * * * *":       {"* 1,2,3 * * *"},
		"* * 1,*,3 * * * *":        {"* * * * *"},
		"* * * * * september-12 *": nil,
	} {
		got, _, err := convertPeriod(old)
		if want == nil {
			assert.Error(t, err, old)
			continue
		}
		require.NoError(t, err, old)
		assert.Equal(t, want, got, old)
	}
	for _, bad := range []string{
		"", "* * *", "* * * L * * *", "* * * 15w * * *", "* * * * * 5#3 *", "* * 24 * * * *", "* 60 * * * * *", "* * 17-9 * * * *",
		"* */0 * * * * *", "* */x * * * * *", "* * * * * * 2030", "* * , * * * *", "* * -1 * * * *", "* * * 0 * * *", "a b c d e f g", "* +1 * * * * *",
	} {
		_, _, err := convertPeriod(bad)
		assert.Error(t, err, bad)
	}
}

func TestParseEnvironment(t *testing.T) {
	t.Parallel()
	variables, unknown := parseEnvironment([]byte("\uFEFFA=1\r\n export B=\"two words\" # why\n\n# C=3\nD='$x'\nE=$x\nF=\"a\\\"b\\$c\\d\"\nG=\nnot one\nH=a b\nI=\"open\nJ=a#b\nK='a'b\nL=a # b\n"))
	assert.Equal(t, []int{9}, unknown)
	got := map[string]string{}
	for _, v := range variables {
		got[v.name] = v.value
		if v.unread {
			got[v.name] = "unread"
		}
	}
	assert.Equal(t, map[string]string{
		"A": "1", "B": "two words", "D": "$x", "E": "unread", "F": `a"b$c\d`, "G": "", "H": "unread", "I": "unread", "J": "a#b", "K": "unread", "L": "a",
	}, got)
}

func TestQuoteEnvironment(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"plain~1.x", "two words", `a"b`, `a'b`, `a'b"c\d$e` + "`", "#", "a\\"} {
		variables, unknown := parseEnvironment([]byte("V=" + quoteEnvironment(v) + "\n"))
		require.Empty(t, unknown)
		require.Len(t, variables, 1)
		assert.Equal(t, v, variables[0].value)
		assert.False(t, variables[0].unread)
	}
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	p := schedule{idleCount: 10, idleCountMin: 0, factor: 0.5}.policy()
	assert.Equal(t, []any{1, 0.5, 10}, []any{p.idleCount, p.factor, p.factorMost}, "the runner keeps at least one")
	p = schedule{idleCount: 2, idleCountMin: 5, factor: 1}.policy()
	assert.Equal(t, []any{2, 1.0, 2}, []any{p.idleCount, p.factor, p.factorMost}, "IdleCount is the most")
	p = schedule{idleCount: 3, idleCountMin: 5}.policy()
	assert.Equal(t, []any{3, 0.0, 0}, []any{p.idleCount, p.factor, p.factorMost}, "IdleCountMin alone has no effect")
	p = schedule{idleCount: 0, factor: 1}.policy()
	assert.Equal(t, []any{0, 0.0, 0}, []any{p.idleCount, p.factor, p.factorMost})
}
