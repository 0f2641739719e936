package recordings

import (
	"encoding/json"
	"slices"
	"strings"
)

// Values are what stands at the paths of a JSON value, the values of a path that has several
// joined with "|": of booleans, numbers, and of those strings that are words of Azure's. All
// others may hold names. A path with more values than a few has none: they are data.
type Values map[string]string

const few = 8

// ValuesOf derives the values of a JSON value; nil where there are none.
func ValuesOf(v any) Values {
	found := map[string][]string{}
	walkValues(v, "$", func(path string, value any) {
		if text, ok := valueText(path, value); ok {
			found[path] = append(found[path], text)
		}
	})
	var values Values
	for path, all := range found {
		slices.Sort(all)
		if all = slices.Compact(all); len(all) > few {
			continue
		}
		if values == nil {
			values = Values{}
		}
		values[path] = strings.Join(all, "|")
	}
	return values
}

// Of are the single values of a path.
func (v Values) Of(path string) []string {
	if v[path] == "" {
		return nil
	}
	return strings.Split(v[path], "|")
}

func walkValues(v any, path string, visit func(path string, value any)) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			walkValues(member, below(path, key), visit)
		}
	case []any:
		for _, element := range v {
			walkValues(element, path+"[]", visit)
		}
	default:
		visit(path, v)
	}
}

func valueText(path string, v any) (string, bool) {
	switch v := v.(type) {
	case bool, float64, json.Number:
		encoded, err := json.Marshal(v)
		return string(encoded), err == nil
	case string:
		key := strings.TrimSuffix(path[strings.LastIndexByte(path, '.')+1:], "[]")
		known := slices.Contains(vocabulary, key) && !strings.HasSuffix(path, "}") && isWord(v)
		return v, known || v == "*" || v == "None"
	}
	return "", false
}

// isWord reports whether a string looks like a word of an enumeration.
func isWord(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_/") == ""
}

// vocabulary are the last keys of paths whose strings are words of Azure's: the enumerations
// of the specifications, states, and versions of the Internet's protocol.
var vocabulary = []string{
	"access", "architecture", "assessmentMode", "auxiliaryMode", "auxiliarySku", "caching", "createOption", "deleteOption",
	"direction", "diskControllerType", "evictionPolicy", "hostCaching", "hyperVGeneration", "imageState", "kind", "level",
	"mode", "modelDefinitionApplied", "nicType", "orchestrationMode", "osState", "osType", "patchMode", "principalType",
	"priority", "privateEndpointNetworkPolicies", "privateIPAddressVersion", "privateIPAllocationMethod",
	"privateLinkServiceNetworkPolicies", "protectionMode", "protocol", "provisioningState", "publicIPAddressVersion",
	"publicIPAllocationMethod", "reasonCode", "registrationPolicy", "registrationState", "replicaType",
	"resilientVMDeletionStatus", "securityType", "state", "status", "storageAccountType", "tier", "unit",
	"virtualMachineState", "vmDiskType", "code",
}
