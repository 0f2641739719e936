package armops

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMatch(t *testing.T) {
	for _, o := range append(All(), Tools()...) {
		path := strings.NewReplacer("{", "x-", "}", "").Replace(o.Path)
		assert.Equal(t, o.Name, Match(o.Method, path))
		assert.Equal(t, o.Name, Match(o.Method, strings.ToUpper(path)+"/"), "Azure reads paths in any case")
		assert.Empty(t, Match("OPTIONS", path))
		assert.Empty(t, Match(o.Method, path+"/more/than/that"))
	}
	assert.Empty(t, Match("GET", ""))
	of := func(scope string) string {
		return Match("GET", "/subscriptions/s/resourceGroups/g"+scope+"/providers/Microsoft.Authorization/permissions")
	}
	assert.Equal(t, ListPermissions, of(""))
	assert.Equal(t, ListScopePermissions, of("/providers/Microsoft.Network/virtualNetworks/n/subnets/s"))
	assert.Equal(t, ListScopePermissions, of("/providers/Microsoft.Compute/galleries/a/images/b/versions/c"))
	assert.Empty(t, of("/providers"))
}
