package arm

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/azhttp"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// firstFlexibleProtection is the first api-version in which the instances of Flexible sets
// have protection policies (Microsoft's page on instance protection; the one that compares
// the modes has none at all).
const firstFlexibleProtection = "2023-09-01"

// putInstance merges into an instance of a Uniform set. Of a Flexible set's instance it
// takes the protection policy alone.
func putInstance(c *call) (*response, *problem) {
	i, p := putTarget(c)
	if p != nil {
		return nil, p
	}
	if i.State == world.StateDeleting {
		return nil, markedForDeletion("Update Virtual Machine", i.Name)
	}
	if p := c.precondition(etagOf(i)); p != nil {
		return nil, p
	}
	update, p := updateOf(c, i)
	if p != nil {
		return nil, p
	}
	if p := c.charge(i.Set, 0); p != nil { // azure-cli, test_vmss_create_user_data
		return nil, p
	}
	o := i.Apply(update)
	a := c.accepted(o, http.StatusOK, c.render.member(i, false))
	a.Header.Set("ETag", etagOf(i))
	return a, nil
}

// etagOf is the ETag of an instance: a Uniform set's has that of the set.
func etagOf(i *world.Instance) string {
	if i.Set.Uniform() {
		return i.Set.ETag()
	}
	return i.ETag()
}

func putTarget(c *call) (*world.Instance, *problem) {
	set, p := c.scaleSet()
	if p != nil || set.Uniform() || jsonmap.At(c.body, "properties.protectionPolicy") == nil || c.apiVersion < firstFlexibleProtection {
		return c.instance()
	}
	if i := set.Named(c.param("instance")); i != nil {
		return i, nil
	}
	return nil, c.noInstance(c.param("instance"))
}

// updateOf reads what a PUT changes. That tags of an instance can be written so is
// believed: the resource has them, and no recording does.
func updateOf(c *call, i *world.Instance) (world.InstanceUpdate, *problem) {
	var update world.InstanceUpdate
	update.Protection, _ = jsonmap.At(c.body, "properties.protectionPolicy").(object)
	dropSecrets(update.Protection)
	if i.Set.Uniform() {
		update.Tags, _ = c.body["tags"].(object)
		update.Properties = c.propertiesOf(i)
	}
	u := c.world.Unknowns()
	switch {
	case update.Protection != nil && u.ProtectionRefused:
		return update, azhttp.NewProblem(http.StatusConflict, "OperationNotAllowed", "Instance protection is not supported for virtual machine '%s'.", i.Name)
	case update.Tags != nil && u.InstanceTagsRefused && !sameTags(update.Tags, i.Tags()):
		return update, propertyChangeNotAllowed("tags")
	}
	if !u.InstanceTagsKept {
		update.Tags = nil
	}
	return update, checkProtection(update.Protection)
}

// propertiesOf are those that a PUT changes of an instance. What clients send back as they
// read it changes nothing (recording 37), nor does what cannot be changed.
func (c *call) propertiesOf(i *world.Instance) object {
	p, _ := jsonmap.Clone(c.body["properties"]).(object)
	dropSecrets(p)
	for _, key := range append(slices.Clone(readOnly), "latestModelApplied", "modelDefinitionApplied", "resilientVMDeletionStatus", "vmId",
		"instanceView", "hardwareProfile", "osProfile", "networkProfile", "protectionPolicy") {
		delete(p, key)
	}
	had := c.render.instance(i, false)["properties"].(object)
	if disks := jsonmap.At(p, "storageProfile.dataDisks"); disks == nil || sameJSON(disks, jsonmap.At(had, "storageProfile.dataDisks")) {
		delete(p, "storageProfile")
	}
	maps.DeleteFunc(p, func(key string, value any) bool { return sameJSON(value, had[key]) })
	return p
}

// sameJSON reports whether two values are the same but for the case of resource IDs.
func sameJSON(a, b any) bool {
	x, _ := jsonmap.Append(nil, a)
	y, _ := jsonmap.Append(nil, b)
	return bytes.EqualFold(x, y)
}

// checkProtection knows the rule of Microsoft's page on instance protection; the words
// are believed.
func checkProtection(policy object) *problem {
	within, given := policy["protectFromScaleIn"].(bool)
	if given && !within && jsonmap.Bool(policy, "protectFromScaleSetActions") {
		return invalidParameter("protectionPolicy.protectFromScaleIn",
			"The property 'protectFromScaleIn' cannot be false where 'protectFromScaleSetActions' is true.")
	}
	return nil
}

// sameTags reports whether a client sends back what it has read.
func sameTags(given object, had any) bool {
	before, _ := had.(object)
	if len(given) != len(before) {
		return false
	}
	for key, value := range given {
		if before[key] != value {
			return false
		}
	}
	return true
}

// member is an instance as reads below its scale set show it.
func (r *renderer) member(i *world.Instance, expand bool) object {
	if i.Set.Uniform() {
		return r.instance(i, expand)
	}
	body := r.machine(i, expand)
	body["instanceId"] = i.Name
	p := body["properties"].(object)
	p["networkProfile"] = nil // azure-sdk-for-net#43000
	if policy, ok := i.Extra["protectionPolicy"]; ok {
		p["protectionPolicy"] = policy
	}
	return body
}

// replaceTags puts the tags that a body has in the place of those that there are: unlike
// other objects they are not merged (believed, by Resource Manager's rules for tags).
func replaceTags(head, body object) {
	for key := range body {
		if strings.EqualFold(key, "tags") {
			delete(head, key)
		}
	}
}
