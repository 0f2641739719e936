package arm

import (
	"maps"
	"net/http"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// The tags of the subscription, a group or a resource as an object of their own: shapes and
// operations of the specification of Microsoft.Resources/tags (2021-04-01).

// tagged is what the scope names.
func (c scoped) tagged() (*world.Tagged, *problem) {
	t := c.world.Tagged(c.scope())
	if t == nil {
		_, rest, _ := strings.Cut(strings.ToLower(c.scope()), "/providers/")
		return nil, resourceNotFound(c.scope()[len(c.scope())-len(rest):], c.param("group"))
	}
	return t, nil
}

func (c scoped) tags(t *world.Tagged) *response {
	return &response{Status: http.StatusOK, Body: object{
		"id": c.canonicalScope() + "/providers/Microsoft.Resources/tags/default", "name": "default", "type": "Microsoft.Resources/tags",
		"properties": object{"tags": t.Tags()},
	}}
}

func getTags(c scoped) (*response, *problem) {
	t, p := c.tagged()
	if p != nil {
		return nil, p
	}
	return c.tags(t), nil
}

func putTags(c scoped) (*response, *problem) { return c.writeTags(replacedTags) }

func patchTags(c scoped) (*response, *problem) {
	how := map[string]func(was, given object) object{"merge": mergedTags, "replace": replacedTags, "delete": removedTags}
	operation := jsonmap.Text(c.body, "operation")
	write, ok := how[strings.ToLower(operation)]
	if !ok {
		return nil, badRequestOf("InvalidTagPatchOperation", "The tags patch operation '%s' is invalid: it is Replace, Merge or Delete.", operation)
	}
	return c.writeTags(write)
}

// writeTags makes new tags of those there are and those in the body.
func (c scoped) writeTags(write func(was, given object) object) (*response, *problem) {
	t, p := c.tagged()
	if p != nil {
		return nil, p
	}
	given, ok := jsonmap.At(c.body, "properties.tags").(object)
	if !ok {
		return nil, badRequestOf("InvalidTagsProperty", "The request content has no property 'properties.tags', an object.")
	}
	for name, value := range given {
		if _, ok := value.(string); !ok {
			return nil, badRequestOf("InvalidTagsProperty", "The value of tag '%s' is no string.", name)
		}
	}
	t.SetTags(write(t.Tags(), given))
	return c.tags(t), nil
}

func deleteTags(c scoped) (*response, *problem) {
	t, p := c.tagged()
	if p != nil {
		return nil, p
	}
	t.SetTags(object{})
	return &response{Status: http.StatusOK}, nil
}

// Names of tags are the same in any case, values are not (Microsoft's page on tags).

func replacedTags(_, given object) object { return maps.Clone(given) }

func mergedTags(was, given object) object {
	for name, value := range given {
		was[nameOfTag(was, name)] = value
	}
	return was
}

// removedTags removes those of the same name whose value is the given one, or any where
// none is given.
func removedTags(was, given object) object {
	for name, value := range given {
		name = nameOfTag(was, name)
		if value == "" || value == was[name] {
			delete(was, name)
		}
	}
	return was
}

// nameOfTag is the name as the tag there is has it.
func nameOfTag(tags object, name string) string {
	for one := range tags {
		if strings.EqualFold(one, name) {
			return one
		}
	}
	return name
}
