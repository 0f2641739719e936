package setup

import (
	"maps"
	"slices"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// merged is what is wanted over what is there: a PUT replaces the whole resource, and
// others may have added to it. What Azure adds on its own is left out.
func merged(want, have object) object {
	all := object{}
	for key, value := range have {
		if key != "etag" && key != "id" && key != "name" && key != "type" && key != "systemData" {
			all[key] = value
		}
	}
	for key, value := range want {
		switch inner := value.(type) {
		case object:
			there, _ := all[key].(object)
			value = merged(inner, there)
		case list:
			there, _ := all[key].(list)
			value = mergedList(inner, there)
		}
		all[key] = value
	}
	return all
}

// mergedList adds what others have put into a list of named objects, as subnets of a
// network. Other lists are as wanted.
func mergedList(want, have list) list {
	if !isNamed(want) {
		return want
	}
	var all list
	for _, element := range want {
		wanted := element.(object)
		there, _ := findNamed(have, wanted["name"]).(object)
		o := merged(wanted, there)
		o["name"] = wanted["name"]
		all = append(all, o)
	}
	for _, element := range have {
		if o, ok := element.(object); ok && findNamed(want, o["name"]) == nil {
			all = append(all, o)
		}
	}
	return all
}

// patchOf is a change of a scale set, without its capacity, which is the runner's.
func patchOf(want, have object) object {
	body := object{"tags": merged(at(want, "tags"), at(have, "tags")), "properties": want["properties"]}
	sku := object{}
	for key, value := range at(want, "sku") {
		if key != "capacity" {
			sku[key] = value
		}
	}
	body["sku"] = sku
	return body
}

// keysPath is where a scale set has its SSH public keys.
var keysPath = []string{"properties", "virtualMachineProfile", "osProfile", "linuxConfiguration", "ssh"}

// withKeysOf is what is wanted with the SSH public keys that there are: the plugin, and
// others, add theirs to those of setup, and a write replaces the list.
func withKeysOf(want, have object) object {
	wanted, _ := at(want, keysPath...)["publicKeys"].(list)
	there, _ := at(have, keysPath...)["publicKeys"].(list)
	if len(wanted) == 0 || len(there) == 0 {
		return want
	}
	all := slices.Clone(there)
	for _, key := range wanted {
		if !slices.ContainsFunc(there, func(other any) bool { return keyID(other) == keyID(key) }) {
			all = append(all, key)
		}
	}
	return withValue(want, all, append(slices.Clone(keysPath), "publicKeys")...)
}

func keyID(key any) vmss.KeyID {
	o, _ := key.(object)
	text, _ := o["keyData"].(string)
	return vmss.KeyIDOf([]byte(text))
}

// withValue is an object with another value at a path, without changing the object.
func withValue(o object, value any, path ...string) object {
	o = maps.Clone(o)
	if len(path) > 1 {
		inner, _ := o[path[0]].(object)
		value = withValue(inner, value, path[1:]...)
	}
	o[path[0]] = value
	return o
}
