package armops

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMatch(t *testing.T) {
	fill := strings.NewReplacer("{subscription}", "s", "{group}", "g", "{scaleSet}", "ci", "{instance}", "ci_1", "{location}", "westeurope", "{operation}", "1-2")
	for _, o := range All() {
		path := fill.Replace(o.Path)
		assert.NotContains(t, path, "{", o.Name)
		assert.Equal(t, o.Name, Match(o.Method, path))
		assert.Equal(t, o.Name, Match(o.Method, strings.ToUpper(path)+"/"), "Azure reads paths in any case")
		assert.Empty(t, Match("OPTIONS", path))
		assert.Empty(t, Match(o.Method, path+"/more/than/that"))
	}
	assert.Empty(t, Match("GET", ""))
}
