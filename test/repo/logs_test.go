package repo_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logging are the methods of a log that take a message and fields.
var logging = map[string]bool{"Trace": true, "Debug": true, "Info": true, "Warn": true, "Error": true}

// TestLogFieldsAreDocumented: the same thing has one name throughout, so that each name
// is in the guide's table, and each there is in use.
func TestLogFieldsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("docs/guides/monitoring.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## Log\n")
	require.True(t, found)
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| (`.*?) \\|").FindAllStringSubmatch(section, -1) {
		for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[1], -1) {
			documented[m[1]] = true
		}
	}
	used := map[string]bool{}
	for _, pattern := range []string{"*.go", "instancegroup/*.go", "cmd/fleeting-plugin-azure/*.go", "internal/*/*.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				addLogFields(t, file, used)
			}
		}
	}
	assert.Equal(t, slices.Sorted(maps.Keys(documented)), slices.Sorted(maps.Keys(used)))
}

// addLogFields adds the names of the fields in calls such as log.Info("…", "name", value).
func addLogFields(t *testing.T, file string, used map[string]bool) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	require.NoError(t, err)
	ast.Inspect(parsed, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		fields := call.Args
		switch {
		case !ok || !isLog(method.X):
			return true
		case logging[method.Sel.Name]:
			fields = fields[1:]
		case method.Sel.Name != "With":
			return true
		}
		for n := 0; n < len(fields); n += 2 {
			literal, ok := fields[n].(*ast.BasicLit)
			if !assert.True(t, ok, "%s: the name of a field is no literal", file) {
				continue
			}
			name, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			used[name] = true
		}
		return true
	})
}

// isLog reports whether an expression is a log by its name: log, x.log, x.Logger.
func isLog(x ast.Expr) bool {
	name := ""
	switch x := x.(type) {
	case *ast.Ident:
		name = x.Name
	case *ast.SelectorExpr:
		name = x.Sel.Name
	}
	return strings.EqualFold(name, "log") || strings.EqualFold(name, "logger")
}
