package template

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRelaxed(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"a": 1, b:{$c : true}, "d": null}`:                 `{"a": 1, "b": {"$c": true}, "d": null}`,
		"{ // a comment, of \"a\": 2\n \"a\": /* and */ 1 }": `{"a": 1}`,
		"{\"a\": \"two\n\tlines\"}":                          `{"a": "two\n\tlines"}`,
		`{"a": "// none", "b": "x\"/* none */:"}`:            `{"a": "// none", "b": "x\"/* none */:"}`,
		`{"a": 1e5}`: `{"a": 100000}`,
	} {
		assert.JSONEq(t, want, string(Relaxed([]byte(text))), text)
	}
}

// FuzzRelaxed finds that what is JSON stays what it is.
func FuzzRelaxed(f *testing.F) {
	for _, seed := range []string{`{"a": [1e5, true, null, "x\"y\\"]}`, `{a: 1}`, "//", "/*", `"`, `"\`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		relaxed := Relaxed(text)
		var before, after any
		if json.Unmarshal(text, &before) != nil {
			return
		}
		require.NoError(t, json.Unmarshal(relaxed, &after), "%s", relaxed)
		assert.Equal(t, before, after)
	})
}
