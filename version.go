package azure

import (
	"cmp"
	"runtime/debug"

	"gitlab.com/gitlab-org/fleeting/fleeting/plugin"
)

// Set by the linker for a release; what is empty comes from the build itself.
var (
	version   string
	revision  string
	reference string
	builtAt   string
)

// Version describes this build, for --version and the runner's log.
func Version() plugin.VersionInfo {
	v := plugin.VersionInfo{
		Name: "fleeting-plugin-azure", Version: version, Revision: revision, Reference: reference, BuiltAt: builtAt,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.Revision = cmp.Or(v.Revision, setting.Value[:min(12, len(setting.Value))])
		case "vcs.time":
			v.BuiltAt = cmp.Or(v.BuiltAt, setting.Value)
		}
	}
	if v.Version == "" && info.Main.Version != "(devel)" {
		v.Version = info.Main.Version
	}
	v.Version = cmp.Or(v.Version, "dev")
	return v
}
