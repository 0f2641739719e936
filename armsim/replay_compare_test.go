package armsim

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/jsonmap"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

// replayResponse is the simulator's response to a recorded request.
type replayResponse struct {
	status int
	header http.Header
	body   any // nil: none
}

// replayLack is what a response lacks of the recorded one.
type replayLack struct {
	kind string // status, header, path, error or body
	what string
	text string
}

func (l replayLack) String() string { return fmt.Sprintf("%s %s: %s", l.kind, l.what, l.text) }

// replayOmission is a recorded thing that the simulator leaves out, on
// purpose.
type replayOmission struct {
	path   string // end of the exchange's path; empty: any
	kind   string
	what   string // with a * at its end: all that begins so
	reason string
}

func (o replayOmission) String() string { return fmt.Sprintf("%q %s %s", o.path, o.kind, o.what) }

// replayOmissions are all of them: the simulator gives everything else that the
// recordings of the tables hold.
var replayOmissions = []replayOmission{
	{"/networkSecurityGroups/{securityGroup}", "path", "properties.defaultSecurityRules[]", "the text stands for rules that were cut out of the recording"},
	{"/deployments/{deployment}", "body", "none", cutDeployment},
	{"/deployments/{deployment}", "path", "$", cutDeployment},
	{"/deployments", "path", "note", "written by who cut the recording"},
	{"/roleDefinitions", "path", "note", "written by who cut the recording"},
	{"/roleAssignments", "path", "note", "written by who cut the recording"},
	{"/images/{image}/versions/{version:3}", "path", "properties.storageProfile.dataDiskImages[].hostCaching", sourceUnknown},
	{"/images/{image}/versions/{version:3}", "path", "properties.storageProfile.dataDiskImages[].lun", sourceUnknown},
	{"/images/{image}/versions/{version:3}", "path", "properties.storageProfile.dataDiskImages[].sizeInGB", sourceUnknown},
	{"/images/{image}/versions", "path", "value[].properties.storageProfile.dataDiskImages[].hostCaching", sourceUnknown},
	{"/images/{image}/versions", "path", "value[].properties.storageProfile.dataDiskImages[].lun", sourceUnknown},
	{"/images/{image}/versions", "path", "value[].properties.storageProfile.dataDiskImages[].sizeInGB", sourceUnknown},
	{"/images/{image:3}/versions/{version:3}", "path", "properties.storageProfile.dataDiskImages[].diskSizeGB", sourceUnknown},
	{"/images/{image:3}/versions/{version:3}", "path", "properties.storageProfile.dataDiskImages[].hostCaching", sourceUnknown},
	{"/images/{image:3}/versions/{version:3}", "path", "properties.storageProfile.dataDiskImages[].lun", sourceUnknown},
	{"/{group}/providers/Microsoft.Compute/virtualMachines/{machine}", "path", "resources[].*", "Azure's extension that hibernates Windows, which nothing looks at"},
	{"/virtualMachineScaleSets/{scaleSet:2}", "path", "properties.virtualMachineProfile.userData", userDataSecret},
	{"/virtualMachineScaleSets/{scaleSet:2}/virtualMachines/{instance}", "path", "properties.userData", userDataSecret},
}

const cutDeployment = "what a deployment's PUT gave was cut out of the recording, where a text stands or nothing"

const userDataSecret = "user data is taken and, as a secret, never given back"

const sourceUnknown = "the source of a gallery image is not looked at, and so not its data disks"

func omissionOf(all []replayOmission, x recordings.Exchange, l replayLack) (replayOmission, bool) {
	i := slices.IndexFunc(all, func(o replayOmission) bool {
		begin, several := strings.CutSuffix(o.what, "*")
		same := o.what == l.what || several && strings.HasPrefix(l.what, begin)
		return strings.HasSuffix(x.Path, o.path) && o.kind == l.kind && same
	})
	if i < 0 {
		return replayOmission{}, false
	}
	return all[i], true
}

func TestReplayOmissions(t *testing.T) {
	x := recordings.Exchange{Path: "/a/instanceView"}
	all := []replayOmission{{"/instanceView", "path", "disks[].name", "reason"}}
	for what, want := range map[replayLack]bool{
		{kind: "path", what: "disks[].name"}:   true,
		{kind: "path", what: "disks[]"}:        false,
		{kind: "header", what: "disks[].name"}: false,
	} {
		_, ok := omissionOf(all, x, what)
		assert.Equal(t, want, ok, what)
	}
	_, ok := omissionOf(all, recordings.Exchange{Path: "/a"}, replayLack{kind: "path", what: "disks[].name"})
	assert.False(t, ok, "of another path")
	several := []replayOmission{{"/a", "path", "disks[].*", "reason"}}
	_, ok = omissionOf(several, recordings.Exchange{Path: "/a"}, replayLack{kind: "path", what: "disks[].name"})
	assert.True(t, ok)
	_, ok = omissionOf(several, recordings.Exchange{Path: "/a"}, replayLack{kind: "path", what: "disks"})
	assert.False(t, ok)
	for _, o := range replayOmissions {
		assert.NotEmpty(t, o.reason, o)
	}
}

// compareReplay names what a response lacks of the recorded one. It may have
// more: Azure adds to its responses with every version.
func compareReplay(x recordings.Exchange, got replayResponse) []replayLack {
	var lacks []replayLack
	lack := func(kind, what, format string, args ...any) {
		lacks = append(lacks, replayLack{kind, what, fmt.Sprintf(format, args...)})
	}
	if got.status != x.Status {
		lack("status", fmt.Sprint(x.Status), "got %d %v", got.status, jsonmap.At(got.body, "error"))
		return lacks
	}
	for _, name := range x.Headers {
		if got.header.Values(name) == nil {
			lack("header", name, "missing")
		}
	}
	if x.Response == nil && got.body != nil {
		lack("body", "none", "got one")
	}
	kinds := kindsByPath(got.body)
	for _, path := range slices.Sorted(maps.Keys(x.Response)) {
		for _, kind := range strings.Split(x.Response[path], "|") {
			switch {
			case len(kinds[path]) == 0:
				lack("path", path, "missing")
			case kind != "null" && !kinds[path][kind]:
				lack("path", path, "recorded %s, got %v", kind, slices.Sorted(maps.Keys(kinds[path])))
			}
		}
	}
	if x.Error != nil && (jsonmap.Text(got.body, "error.code") != x.Error.Code || jsonmap.Text(got.body, "error.target") != x.Error.Target) {
		lack("error", x.Error.Code, "target %q recorded, got %v", x.Error.Target, jsonmap.At(got.body, "error"))
	}
	return lacks
}

func kindsByPath(body any) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	if body == nil {
		return all
	}
	recordings.Walk(body, func(path, kind string, _ bool) {
		if all[path] == nil {
			all[path] = map[string]bool{}
		}
		all[path][kind] = true
	})
	return all
}

func TestReplayComparisonReports(t *testing.T) {
	x := recordings.Exchange{
		Status: 400, Headers: []string{"content-type", "x-ms-request-id"},
		Response: recordings.Shape{"value[].id": "string", "value[].tags": "object", "value[].n": "number"},
		Error:    &recordings.Error{Code: "InvalidParameter", Target: "instanceIds"},
	}
	response := func() replayResponse {
		return replayResponse{400, http.Header{"Content-Type": {""}, "X-Ms-Request-Id": {"1"}}, object{
			"value": []any{object{"id": "a", "tags": object{"k": "v"}}, object{"n": 1.0, "more": true}},
			"error": object{"code": "InvalidParameter", "target": "instanceIds"},
		}}
	}
	require.Empty(t, compareReplay(x, response()))
	for name, c := range map[string]struct {
		spoil func(*recordings.Exchange)
		want  string
	}{
		"status":      {func(x *recordings.Exchange) { x.Status = 409 }, "status 409"},
		"header":      {func(x *recordings.Exchange) { x.Headers = []string{"location"} }, "header location"},
		"path":        {func(x *recordings.Exchange) { x.Response = recordings.Shape{"value[].gone": "string"} }, "path value[].gone"},
		"type":        {func(x *recordings.Exchange) { x.Response = recordings.Shape{"value[].id": "number"} }, "path value[].id"},
		"second type": {func(x *recordings.Exchange) { x.Response = recordings.Shape{"value[].id": "number|string"} }, "path value[].id"},
		"empty list":  {func(x *recordings.Exchange) { x.Response = recordings.Shape{"value[].tags": "array"} }, "path value[].tags"},
		"whole body":  {func(x *recordings.Exchange) { x.Response = recordings.Shape{"$": "array"} }, "path $"},
		"no body":     {func(x *recordings.Exchange) { x.Response = nil }, "body none"},
		"code":        {func(x *recordings.Exchange) { x.Error = &recordings.Error{Code: "NotFound"} }, "error NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			spoilt := x
			c.spoil(&spoilt)
			lacks := compareReplay(spoilt, response())
			require.Len(t, lacks, 1)
			assert.Equal(t, c.want, lacks[0].kind+" "+lacks[0].what)
		})
	}
}
