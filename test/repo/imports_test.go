package repo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	module   = "gitlab.com/fleeting-azure/fleeting-plugin-azure"
	fleeting = "gitlab.com/gitlab-org/fleeting/fleeting"
	tasks    = "gitlab.com/gitlab-org/fleeting/taskscaler"
	artifact = "gitlab.com/gitlab-org/fleeting/fleeting-artifact"
	registry = "github.com/google/go-containerregistry"
	azcore   = "github.com/Azure/azure-sdk-for-go/sdk/azcore"
	identity = "github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	compute  = "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute"
)

// guarded are the foreign modules that a package may import only if its row
// names them. All other foreign modules are free to use.
var guarded = []string{"github.com/Azure/...", "gitlab.com/gitlab-org/fleeting/...", registry + "/..."}

// mayImport is what packages of the same name or pattern may import. Names are
// relative to the module, with "." for its root. A pattern ending in "/..."
// stands for the named package and all below it.
type mayImport struct {
	ours    []string // packages of this module
	foreign []string // packages under guarded

	// testOnly packages help tests, or are programs that test: they may import
	// anything, and only tests and other testOnly packages may import them.
	testOnly bool
}

// arrows is who may import whom, and the only place where that stands. A row for
// the very name counts before patterns, and a longer pattern before a shorter one.
var arrows = map[string]mayImport{
	".": {
		ours:    []string{"instancegroup", "internal/config", "internal/armapi", "internal/armerr", "internal/fallback", "internal/metrics", "internal/sshkeys", "internal/vmss"},
		foreign: []string{fleeting + "/provider", fleeting + "/plugin"}, // plugin for its VersionInfo
	},
	"cmd/fleeting-plugin-azure": {
		ours:    []string{".", "internal/..."},
		foreign: []string{fleeting + "/plugin", fleeting + "/provider"},
	},
	"cmd/armsim": {ours: []string{"armsim/..."}},

	"instancegroup":      {ours: []string{"internal/armerr", "internal/preflight", "internal/vmss"}},
	"internal/fallback":  {ours: []string{"instancegroup", "internal/armerr", "internal/vmss"}},
	"internal/vmss":      {},
	"internal/sshkeys":   {ours: []string{"internal/vmss"}},
	"internal/preflight": {ours: []string{"internal/vmss"}},
	"internal/prices":    {},
	"internal/budget":    {},
	"internal/config":    {foreign: []string{azcore + "/arm"}},
	"internal/armerr":    {foreign: []string{azcore + "/...", identity}},
	"internal/armops":    {},
	"internal/lifeline":  {},
	"internal/migrate":   {ours: []string{"internal/config"}},

	"internal/runnerconfig": {},
	"internal/terminal":     {},
	"internal/offer":        {ours: []string{"internal/armerr", "internal/armops"}},
	"internal/setup":        {ours: []string{"internal/armapi", "internal/armerr", "internal/armops", "internal/config", "internal/offer", "internal/vmss"}},
	"internal/doctor":       {ours: []string{"internal/armerr", "internal/armops", "internal/config", "internal/offer", "internal/preflight", "internal/runnerconfig", "internal/sshkeys", "internal/vmss"}},
	"internal/status":       {ours: []string{"internal/armops", "internal/config", "internal/offer", "internal/vmss"}},
	"internal/probe":        {foreign: []string{fleeting + "/provider"}},
	"internal/metrics":      {ours: []string{"instancegroup", "internal/budget"}},

	"internal/advise":        {ours: []string{"internal/advise/jobs", "internal/advise/sim"}},
	"internal/advise/gitlab": {},
	"internal/advise/jobs":   {},
	"internal/advise/report": {ours: []string{"internal/advise", "internal/advise/jobs", "internal/advise/sim"}},
	"internal/advise/sim":    {ours: []string{"internal/advise/jobs"}, foreign: []string{fleeting + "/provider", tasks}},

	"internal/armapi": {
		ours:    []string{"internal/armerr", "internal/armops", "internal/budget", "internal/config", "internal/vmss"},
		foreign: []string{azcore + "/...", identity + "/...", compute + "/..."},
	},

	"armsim": {ours: []string{
		"armsim/internal/arm", "armsim/internal/azhttp", "armsim/internal/catalog", "armsim/internal/entra", "armsim/internal/fault",
		"armsim/internal/jsonmap", "armsim/internal/world", "armsim/machine",
	}},
	"armsim/internal/arm": {ours: []string{
		"armsim/internal/azhttp", "armsim/internal/catalog", "armsim/internal/entra", "armsim/internal/fault", "armsim/internal/jsonmap",
		"armsim/internal/template", "armsim/internal/world",
	}},
	"armsim/internal/entra": {ours: []string{
		"armsim/internal/azhttp", "armsim/internal/fault", "armsim/internal/jsonmap", "armsim/internal/wildcard", "armsim/internal/world",
	}},
	"armsim/internal/azhttp":   {ours: []string{"armsim/internal/fault", "armsim/internal/jsonmap", "armsim/internal/world"}},
	"armsim/internal/fault":    {ours: []string{"armsim/internal/jsonmap", "armsim/internal/wildcard", "armsim/internal/world"}},
	"armsim/internal/world":    {ours: []string{"armsim/internal/catalog", "armsim/internal/jsonmap", "armsim/internal/wildcard", "armsim/machine"}},
	"armsim/internal/catalog":  {},
	"armsim/internal/jsonmap":  {},
	"armsim/internal/template": {},
	"armsim/internal/wildcard": {},
	"armsim/machine":           {},
	"armsim/process":           {ours: []string{"armsim"}},
	"demo":                     {ours: []string{"test/load"}},
	"test/load":                {ours: []string{"armsim", "armsim/process", "internal/runnerconfig"}, foreign: []string{fleeting + "/...", tasks + "/..."}},
	"test/soak":                {ours: []string{"armsim", "test/load"}},

	"test/jobapi": {},

	// Nothing that makes or fetches releases gets into what is released.
	"release": {foreign: []string{artifact + "/...", registry + "/..."}},

	"internal/recordings":         {},
	"internal/recordings/cmd/...": {ours: []string{"internal/recordings"}},

	"internal/dockerengine": {testOnly: true},
	"test/...":              {testOnly: true},
	"dev":                   {testOnly: true},
}

// TestImports checks the module as each system sees it, for a file that only
// Windows compiles can import too much as well.
func TestImports(t *testing.T) {
	for _, system := range []string{"linux", "darwin", "windows", "freebsd"} {
		t.Run(system, func(t *testing.T) {
			graph := listImports(t, system)
			require.Contains(t, graph, module+"/internal/config", "go list saw too little")
			for _, wrong := range forbidden(graph, arrows) {
				t.Error(wrong)
			}
			for _, unused := range unusedRows(graph, arrows) {
				t.Error(unused)
			}
		})
	}
}

// unusedRows names the rows of the table that no package looks up.
func unusedRows(graph map[string][]string, table map[string]mayImport) []string {
	used := map[string]bool{}
	for path := range graph {
		name, _ := short(path)
		used[rowFor(table, name)] = true
	}
	var unused []string
	for _, row := range slices.Sorted(maps.Keys(table)) {
		if !used[row] {
			unused = append(unused, "the table has a row "+row+", and there is no such package: remove the row")
		}
	}
	return unused
}

func TestUnusedRowsAreReported(t *testing.T) {
	graph := map[string][]string{module: nil, module + "/demo/fleet": nil}
	table := map[string]mayImport{".": {}, "demo/...": {}, "demo": {}, "util/...": {}}
	assert.Equal(t, []string{
		"the table has a row demo, and there is no such package: remove the row",
		"the table has a row util/..., and there is no such package: remove the row",
	}, unusedRows(graph, table))
}

func TestForbiddenImportsAreReported(t *testing.T) {
	const at = module + "/"
	table := maps.Clone(arrows)
	table["tool/..."] = mayImport{ours: []string{"internal/config"}}
	table["helper/..."] = mayImport{testOnly: true}
	for name, c := range map[string]struct {
		from, to string
		want     []string
	}{
		"arrow of the table":   {at + "instancegroup", at + "internal/armerr", nil},
		"root":                 {at + "cmd/fleeting-plugin-azure", module, nil},
		"below a pattern":      {at + "cmd/armsim", at + "armsim/machine", nil},
		"free foreign module":  {at + "armsim", "github.com/google/uuid", nil},
		"standard library":     {at + "armsim/machine", "net/http", nil},
		"longer row first":     {at + "cmd/armsim", at + "internal/config", []string{"cmd/armsim must not import internal/config"}},
		"upwards":              {at + "instancegroup", module, []string{"instancegroup must not import ."}},
		"leaf":                 {at + "internal/armops", at + "internal/armerr", []string{"internal/armops must not import internal/armerr"}},
		"demo looking inside":  {at + "demo", at + "internal/config", []string{"demo must not import internal/config"}},
		"SDK in the simulator": {at + "armsim", azcore + "/arm", []string{"armsim must not import " + azcore + "/arm"}},
		"SDK in the root":      {module, compute + "/armcompute/v8", []string{". must not import " + compute + "/armcompute/v8"}},
		"fleeting in the core": {at + "instancegroup", fleeting + "/provider", []string{"instancegroup must not import " + fleeting + "/provider"}},
		"taskscaler in a leaf": {at + "internal/vmss", tasks, []string{"internal/vmss must not import " + tasks}},
		"leaf of types":        {at + "internal/vmss", at + "internal/armerr", []string{"internal/vmss must not import internal/armerr"}},
		"SDK in a leaf":        {at + "internal/budget", azcore + "/policy", []string{"internal/budget must not import " + azcore + "/policy"}},
		"controller in armapi": {at + "internal/armapi", at + "instancegroup", []string{"internal/armapi must not import instancegroup"}},
		"registry in a tool":   {at + "cmd/fleeting-plugin-azure", registry + "/pkg/v1", []string{"cmd/fleeting-plugin-azure must not import " + registry + "/pkg/v1"}},
		"plugin in a release":  {at + "release", module, []string{"release must not import ."}},
		"neighbour of a name":  {at + "internal/config", azcore + "/armx", []string{"internal/config must not import " + azcore + "/armx"}},
		"taskscaler in a tool": {at + "tool/doctor", tasks, []string{"tool/doctor must not import " + tasks}},
		"helper of tests":      {at + "helper/cloud", compute + "/armcompute/v8", nil},
		"helper out of tests":  {at + "tool/other", at + "helper", []string{"tool/other must not import helper: it is for tests only"}},
		"unknown package":      {at + "util", "fmt", []string{"util is not in the table of imports_test.go: add it to the table"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, forbidden(map[string][]string{c.from: {c.to}}, table))
		})
	}
}

// forbidden names each import in graph, a map from a package to what it
// imports, that the table does not allow, and each package that is not in it.
func forbidden(graph map[string][]string, table map[string]mayImport) []string {
	var wrong []string
	for _, path := range slices.Sorted(maps.Keys(graph)) {
		from, _ := short(path)
		row, found := lookUp(table, from)
		if !found {
			wrong = append(wrong, from+" is not in the table of imports_test.go: add it to the table")
			continue
		}
		if row.testOnly {
			continue
		}
		for _, imported := range graph[path] {
			to, ours := short(imported)
			target, _ := lookUp(table, to)
			switch {
			case ours && target.testOnly:
				wrong = append(wrong, fmt.Sprintf("%s must not import %s: it is for tests only", from, to))
			case ours && !anyMatch(row.ours, to),
				!ours && anyMatch(guarded, to) && !anyMatch(row.foreign, to):
				wrong = append(wrong, fmt.Sprintf("%s must not import %s", from, to))
			}
		}
	}
	return wrong
}

func lookUp(table map[string]mayImport, name string) (mayImport, bool) {
	row, found := table[rowFor(table, name)]
	return row, found
}

// rowFor is the row of the name itself, else of the longest pattern over it, else
// empty.
func rowFor(table map[string]mayImport, name string) string {
	if _, found := table[name]; found {
		return name
	}
	best := ""
	for pattern := range table {
		if match(pattern, name) && len(pattern) > len(best) {
			best = pattern
		}
	}
	return best
}

// short makes an import path relative to the module, if it is of the module.
func short(path string) (name string, ours bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

func anyMatch(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, name) })
}

func match(pattern, name string) bool {
	base, below := strings.CutSuffix(pattern, "/...")
	return name == base || below && strings.HasPrefix(name, base+"/")
}

// listImports asks the go command for the imports of each package that has
// files other than tests.
func listImports(t *testing.T, system string) map[string][]string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-buildvcs=false", "-test=false", "-json=ImportPath,GoFiles,Imports", "./...")
	list.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var complaint strings.Builder
	list.Stderr = &complaint
	out, err := list.Output()
	require.NoError(t, err, complaint.String())

	graph := map[string][]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath       string
			GoFiles, Imports []string
		}
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return graph
		}
		require.NoError(t, err)
		if len(p.GoFiles) > 0 {
			graph[p.ImportPath] = p.Imports
		}
	}
}
