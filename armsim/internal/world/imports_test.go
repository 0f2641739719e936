package world

import (
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWorldKnowsNothingOfHTTP(t *testing.T) {
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	read := 0
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, parser.ImportsOnly)
		require.NoError(t, err)
		read++
		for _, spec := range f.Imports {
			assert.False(t, strings.HasPrefix(strings.Trim(spec.Path.Value, `"`), "net/http"), "%s imports %s", file.Name(), spec.Path.Value)
		}
	}
	assert.NotZero(t, read)
}
