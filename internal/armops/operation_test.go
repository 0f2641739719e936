package armops

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOperationsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range All() {
		assert.False(t, seen[o.Name], o.Name)
		seen[o.Name] = true
		assert.Equal(t, o, ByName(o.Name))
		assert.True(t, strings.HasPrefix(o.Path, "/subscriptions/{subscription}/resourceGroups/{group}/providers/"), o.Name)
		assert.Regexp(t, `^\d{4}-\d\d-\d\d$`, o.APIVersion, o.Name)
		assert.Regexp(t, `^Microsoft\.\w+/.+/(read|write|action)$`, o.Action, o.Name)
	}
	assert.Zero(t, ByName("Nothing"))
}
