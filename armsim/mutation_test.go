package armsim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// paths are the dotted paths of all that is in v, in order.
func paths(v any, prefix string) []string {
	var all []string
	add := func(key string, value any) {
		path := strings.TrimPrefix(prefix+"."+key, ".")
		all = append(append(all, path), paths(value, path)...)
	}
	switch v := v.(type) {
	case object:
		for key, value := range v {
			add(key, value)
		}
	case []any:
		for n, value := range v {
			add(fmt.Sprint(n), value)
		}
	}
	slices.Sort(all)
	return all
}

func replace(v any, path string, with any) {
	parent, key := "", path
	if n := strings.LastIndex(path, "."); n >= 0 {
		parent, key = path[:n], path[n+1:]
		v = get(v, parent)
	}
	switch v := v.(type) {
	case object:
		v[key] = with
	case []any:
		var n int
		_, _ = fmt.Sscan(key, &n) // paths made it
		v[n] = with
	}
}

// oddValues are JSON, so that each use is a value of its own.
var oddValues = []string{`null`, `true`, `1.5`, `-3`, `""`, `"x"`, `[]`, `[null,1,"x",{}]`, `{}`, `{"properties":1,"name":[]}`}

// TestAnyModelIsSurvived puts values of the wrong kind at any place of a
// resource, and then reads it in every view.
func TestAnyModelIsSurvived(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			surviveModels(t, mode)
		})
	}
}

func surviveModels(t *testing.T, mode string) {
	s := virtual(t, armsim.Config{})
	template := s.get(t, s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Priority: "Spot", Zones: []string{"1"}, PublicAddress: true, PublicKey: firstKey, Change: func(m map[string]any) {
		profile := m["properties"].(object)["virtualMachineProfile"].(object)
		profile["extensionProfile"] = object{"extensions": []any{object{"name": "e", "properties": object{"settings": object{}}}}}
		profile["storageProfile"].(object)["dataDisks"] = []any{object{"lun": 0}}
	}})).raw
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		set := s.ScaleSetPath(fmt.Sprintf("m%d", runs))
		question{http.MethodPut, set, "", mutant(rt, template)}.ask(t, s.Server)
		question{http.MethodPatch, set, "", `{"sku":{"capacity":2}}`}.ask(t, s.Server)
		question{http.MethodPatch, set, "", mutant(rt, template)}.ask(t, s.Server)
		s.Advance(settled)
		for _, rest := range []string{"", "/virtualMachines", "/networkInterfaces", "/publicIPAddresses", "/instanceView"} {
			question{http.MethodGet, set + rest, "&$expand=instanceView", ""}.ask(t, s.Server)
		}
		for _, all := range []string{"Compute/virtualMachines", "Network/networkInterfaces", "Network/publicIPAddresses"} {
			question{http.MethodGet, s.ResourcePath("/providers/Microsoft." + all), "", ""}.ask(t, s.Server)
		}
		question{http.MethodDelete, set, "", ""}.ask(t, s.Server)
		s.Advance(settled)
	})
}

func mutant(t *rapid.T, template string) string {
	model := object{}
	unmarshal(template, &model)
	replace(model, "sku.capacity", 2)
	for range rapid.IntRange(1, 3).Draw(t, "changes") {
		path := rapid.SampledFrom(paths(model, "")).Draw(t, "path")
		var value any
		unmarshal(rapid.SampledFrom(oddValues).Draw(t, "value"), &value)
		replace(model, path, value)
	}
	return jsonOf(t, model)
}
