package armsim_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const tagsPath = "/providers/Microsoft.Resources/tags/default"

func (s *sim) tags(t *testing.T, scope string) any {
	t.Helper()
	r := s.get(t, scope+tagsPath)
	require.Equal(t, http.StatusOK, r.status, r.raw)
	assert.Equal(t, []string{"default", "Microsoft.Resources/tags"}, []string{r.text("name"), r.text("type")})
	return get(r.body, "properties.tags")
}

func tagBody(operation string, tags object) object {
	body := object{"properties": object{"tags": tags}}
	if operation != "" {
		body["operation"] = operation
	}
	return body
}

// TestTagsAtScope: whatever has tags has them as an object of their own, too.
func TestTagsAtScope(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{Polite: true})
	uniform, flexible := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1}), s.scaleSet(t, armsim.ScaleSetSpec{Name: "fl", OrchestrationMode: "Flexible", Capacity: 1})
	vnet, key := s.ResourcePath("/providers/Microsoft.Network/virtualNetworks/net"), s.ResourcePath("/providers/Microsoft.Compute/sshPublicKeys/key")
	for _, path := range []string{vnet, key} {
		require.NoError(t, s.Put(t.Context(), path, "2024-01-01", object{"location": "westeurope"}))
	}
	s.Advance(settled)
	for name, scope := range map[string]string{
		"subscription": "/subscriptions/" + armsim.DefaultSubscriptionID, "group": s.ResourcePath(""), "Uniform set": uniform, "Flexible set": flexible,
		"instance": uniform + "/virtualMachines/0", "machine": s.machinesPath() + "/" + s.namesIn(t, "fl")[0], "network": vnet, "kept": key,
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, http.StatusOK, s.send(t, "PUT", scope+tagsPath, tagBody("", object{"Team": "a", "env": "ci"})).status)
			assert.Equal(t, object{"Team": "a", "env": "ci"}, s.tags(t, scope))
			r := s.send(t, "PATCH", scope+tagsPath, tagBody("Merge", object{"team": "b", "new": "1"}))
			assert.Equal(t, object{"Team": "b", "env": "ci", "new": "1"}, get(r.body, "properties.tags"))
			s.send(t, "PATCH", scope+tagsPath, tagBody("delete", object{"ENV": "", "new": "other"}))
			assert.Equal(t, object{"Team": "b", "new": "1"}, s.tags(t, scope))
			s.send(t, "PATCH", scope+tagsPath, tagBody("Replace", object{"one": "1"}))
			if name != "subscription" {
				assert.Equal(t, object{"one": "1"}, s.get(t, scope).body["tags"], "in the resource")
			}
			assert.Equal(t, http.StatusOK, s.send(t, "DELETE", scope+tagsPath, nil).status)
			assert.Equal(t, object{}, s.tags(t, scope))
		})
	}
}

// namesIn are those of a scale set's instances.
func (s *sim) namesIn(t *testing.T, set string) (names []string) {
	t.Helper()
	for _, i := range s.Instances() {
		if i.ScaleSet == set {
			names = append(names, i.Name)
		}
	}
	require.NotEmpty(t, names)
	return names
}

func TestTagsAtScopeRefused(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	etag := s.get(t, set).text("etag")
	assert.Equal(t, "InvalidTagPatchOperation", s.send(t, "PATCH", set+tagsPath, tagBody("Add", object{"a": "b"})).code())
	assert.Equal(t, http.StatusBadRequest, s.send(t, "PUT", set+tagsPath, object{}).status)
	assert.Equal(t, http.StatusBadRequest, s.send(t, "PUT", set+tagsPath, tagBody("", object{"a": 1})).status)
	assert.Equal(t, "ResourceNotFound", s.get(t, s.ScaleSetPath("none")+tagsPath).code())
	assert.Equal(t, "ResourceGroupNotFound", s.get(t, "/subscriptions/"+armsim.DefaultSubscriptionID+"/resourceGroups/none"+tagsPath).code())
	assert.Equal(t, etag, s.get(t, set).text("etag"))
	s.send(t, "PUT", set+tagsPath, tagBody("", object{"a": "b"}))
	assert.NotEqual(t, etag, s.get(t, set).text("etag"))
}
