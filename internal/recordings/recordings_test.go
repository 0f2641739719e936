package recordings

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func decode(t *testing.T, text string) (v any) {
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return v
}

func TestShapeOf(t *testing.T) {
	for text, want := range map[string]Shape{
		`null`:                         nil,
		`{}`:                           {"$": "object"},
		`[]`:                           {"$": "array"},
		`{"a":{"b":[1]},"c":{}}`:       {"a.b[]": "number", "c": "object"},
		`{"v":[{"a":"x"},{"b":true}]}`: {"v[].a": "string", "v[].b": "boolean"},
		`{"v":[{"a":"x"},{"a":1},{"a":null},{"a":"y"}]}`: {"v[].a": "null|number|string"},
		`{"v":[[],[{"a":1}]]}`:                           {"v[]": "array", "v[][].a": "number"},
		`{"tags":{"owner":"me"},"x":{"tags":{}}}`:        {"tags.{key}": "string", "x.tags": "object"},
	} {
		t.Run(text, func(t *testing.T) { assert.Equal(t, want, ShapeOf(decode(t, text))) })
	}
}

func TestTemplate(t *testing.T) {
	names := namer{}
	for _, c := range []struct{ path, want string }{
		{"/subscriptions/S/resourceGroups/a/providers/microsoft.Compute/virtualMachineScaleSets", "/subscriptions/{subscription}/resourceGroups/{group}/providers/microsoft.Compute/virtualMachineScaleSets"},
		{"/subscriptions/s/resourcegroups/A/x", "/subscriptions/{subscription}/resourcegroups/{group}/x"},
		{"resourceGroups/b/virtualMachineScaleSets/delete/delete", "/resourceGroups/{group:2}/virtualMachineScaleSets/{scaleSet}/delete"},
		{"/virtualMachineScaleSets/b/virtualmachines/7/instanceView", "/virtualMachineScaleSets/{scaleSet:2}/virtualmachines/{instance}/instanceView"},
		{"virtualMachineScaleSets/b/virtualMachines/9", "/virtualMachineScaleSets/{scaleSet:2}/virtualMachines/{instance:2}"},
		{"virtualMachineScaleSets/b/virtualMachines/7x", "/virtualMachineScaleSets/{scaleSet:2}/virtualMachines/{instance:malformed}"},
		{"/virtualMachineScaleSets/virtualMachines/virtualMachines/9", "/virtualMachineScaleSets/{scaleSet:3}/virtualMachines/{instance:2}"},
		{"/virtualMachines/7x/start", "/virtualMachines/{machine}/start"},
		{"/networkInterfaces/n", "/networkInterfaces/{interface}"},
	} {
		assert.Equal(t, c.want, names.template(c.path), c.path)
	}
}

const recorded = `{"entries": [
 {"index": 1, "method": "PUT", "url": "/subscriptions/S/resourceGroups/secretGroup/providers/Microsoft.Compute/images/secretImage?api-version=1", "status": 201,
  "responseHeaders": {"azure-asyncoperation": "https://h/subscriptions/S/providers/Microsoft.Compute/locations/l/operations/other"}},
 {"index": 2, "method": "GET", "url": "/subscriptions/S/providers/Microsoft.Compute/locations/l/operations/other?api-version=1", "status": 200},
 {"index": 3, "method": "delete", "url": "https://h/subscriptions/S/resourceGroups/secretGroup/providers/Microsoft.Compute/virtualMachineScaleSets/secretSet?api-version=1&secret=signature", "status": 202,
  "requestHeaders": {"If-Match": "secretTag"}, "responseHeaders": {"Location": ["https://h/subscriptions/S/providers/Microsoft.Compute/locations/l/operations/ours?s=signature"]}},
 {"index": 4, "method": "GET", "url": "/subscriptions/S/providers/Microsoft.Compute/locations/l/operations/OURS?monitor=true&api-version=1", "status": 200},
 {"index": 5, "method": "GET", "url": "/subscriptions/S/resourceGroups/secretGroup/providers/Microsoft.Compute/virtualMachineScaleSets/secretSet?api-version=1", "status": 404,
  "responseBody": {"error": {"code": "ResourceNotFound", "message": "secretSet"}, "vmId": "secretID"}}
]}`

func TestDerive(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "one.json"), []byte(recorded), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "two.json"), []byte(`{"shapes": []}`), 0o600))
	all, err := Load(dir)
	require.NoError(t, err)
	table, left := Derive(all)

	assert.Equal(t, []string{"one: 1 PUT", "one: 2 GET", "two: no exchanges"}, left)
	require.Len(t, table.Recordings, 1)
	xs := table.Recordings[0].Exchanges
	require.Len(t, xs, 3)
	assert.Equal(t, "DELETE", xs[0].Method)
	assert.Equal(t, map[string]string{"if-match": "current"}, xs[0].Conditions)
	assert.Equal(t, map[string]string{"api-version": "1", "secret": ""}, xs[0].Query)
	assert.Equal(t, "{operation}", xs[0].Starts)
	assert.Contains(t, xs[1].Path, "/operations/{operation}")
	assert.Equal(t, &Error{Code: "ResourceNotFound"}, xs[2].Error)

	encoded, err := table.JSON()
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), "secretSet")
	assert.NotContains(t, string(encoded), "signature")
	assert.Equal(t, []string{"other", "secretGroup", "secretID", "secretImage", "secretSet"}, Names(all[0]))
}

func TestFiltersKeepNoNames(t *testing.T) {
	u, err := url.Parse("/x?$filter=%27a/id%27+eq+%27secret%27&$expand=instanceView&other=secret")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"$filter": "'a/id' eq '{name}'", "$expand": "instanceView", "other": ""}, query(u.Query()))
}

func TestConditions(t *testing.T) {
	for name, c := range map[string]struct {
		header, value string
		status        int
		want          map[string]string
	}{
		"none":               {"accept", "x", 200, map[string]string{}},
		"any":                {"If-Match", "*", 200, map[string]string{"if-match": "any"}},
		"refused":            {"if-match", `"7"`, 412, map[string]string{"if-match": "stale"}},
		"accepted":           {"if-match", `"7"`, 200, map[string]string{"if-match": "current"}},
		"none-match refused": {"If-None-Match", `"7"`, 412, map[string]string{"if-none-match": "current"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, conditions(Entry{Status: c.status, RequestHeaders: map[string]any{c.header: c.value}}))
		})
	}
}

func TestLoadComplains(t *testing.T) {
	_, err := Load(t.TempDir())
	assert.ErrorContains(t, err, "no *.json")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "bad.json"), []byte(`{`), 0o600))
	_, err = Load(dir)
	assert.ErrorContains(t, err, "bad.json")
}

// TestLoadByHand: a recording that somebody wrote down has words for places, or none.
func TestLoadByHand(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "1.json"), []byte(`{"entries": [{"index": "after the POST"}, {}, {"index": 7}]}`), 0o600))
	all, err := Load(dir)
	require.NoError(t, err)
	require.Len(t, all[0].Entries, 3)
	assert.Equal(t, []Index{0, 0, 7}, []Index{all[0].Entries[0].Index, all[0].Entries[1].Index, all[0].Entries[2].Index})
}

func TestSetup(t *testing.T) {
	for path, want := range map[string]bool{
		"/subscriptions/s/resourceGroups/g": true, "//subscriptions/s/resourcegroups": true, "/subscriptions/s/resourceGroups/g/resources": false,
		"/subscriptions/s/providers/Microsoft.X": true, "/subscriptions/s/providers/Microsoft.X/register": true, "/subscriptions/s/providers/Microsoft.X/locations/l": false,
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/n":                               true,
		"/subscriptions/s/resourceGroups/g/providers/microsoft.Compute/virtualMachineScaleSets/v/networkInterfaces":               false,
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/loadBalancers/l":                                           false,
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/natGateways/n/providers/Microsoft.Authorization/locks/one": true,
		"/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i":                          true,
	} {
		assert.Equal(t, want, Setup(path), path)
	}
}

func TestLoadOnly(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"1-a": `{"entries": []}`, "2-b": `no JSON`, "11-c": `{"entries": []}`} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+".json"), []byte(text), 0o600))
	}
	all, err := LoadOnly("1,11", dir)
	require.NoError(t, err)
	assert.Len(t, all, 2)
	other := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(other, "11-other.json"), []byte(`{"entries": []}`), 0o600))
	all, err = LoadOnly("11", dir, other)
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, []string{"11-c", "11-other"}, []string{all[0].Name, all[1].Name})
}

// TestNamesAreOthers: Azure's own names and Go's keywords are no traces of a
// recording.
func TestNamesAreOthers(t *testing.T) {
	r := Recording{Entries: []Entry{{URL: "/virtualNetworks/theirs/subnets/default", ResponseBody: decode(t, `{"value": [
		{"id": "a", "name": "builtin", "properties": {"type": "BuiltInRole"}}, {"id": "b", "name": "custom", "properties": {"type": "CustomRole"}},
		{"id": "c", "name": "AllowAll", "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules"},
		{"id": "d", "name": "latest", "type": "Microsoft.StandbyPool/standbyVirtualMachinePools/runtimeViews"}]}`)}}}
	assert.Equal(t, []string{"custom", "theirs"}, Names(r))
}
