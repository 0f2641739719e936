package armops

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOperationsAreWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range append(All(), Tools()...) {
		assert.False(t, seen[o.Name], o.Name)
		seen[o.Name] = true
		assert.Equal(t, o, ByName(o.Name))
		ofTenant := strings.Contains(o.Name, "BuiltIn") || strings.Contains(o.Name, "AtManagementGroup")
		assert.Equal(t, !ofTenant, strings.HasPrefix(o.Path, "/subscriptions/{subscription}"), o.Name)
		assert.Regexp(t, `^\d{4}-\d\d-\d\d(-preview)?$`, o.APIVersion, o.Name)
		assert.Regexp(t, `^Microsoft\.\w+/.+/(read|write|delete|action)$`, o.Action, o.Name)
		assert.Contains(t, []Mode{Uniform, Flexible, Both}, o.Mode, o.Name)
	}
	assert.Zero(t, ByName("Nothing"))
}

func TestIn(t *testing.T) {
	names := map[Mode]map[string]bool{}
	for _, mode := range []Mode{Uniform, Flexible} {
		names[mode] = map[string]bool{}
		for _, o := range In(mode) {
			names[mode][o.Name] = true
		}
	}
	for _, o := range Tools() {
		assert.False(t, names[Uniform][o.Name] || names[Flexible][o.Name], "%s is not the plugin's: it must not get into its role", o.Name)
	}
	for _, o := range All() {
		assert.Equal(t, o.Mode != Flexible, names[Uniform][o.Name], o.Name)
		assert.Equal(t, o.Mode != Uniform, names[Flexible][o.Name], o.Name)
	}
}
