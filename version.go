package azure

import "gitlab.com/gitlab-org/fleeting/fleeting/plugin"

// Set by the linker for a release; fleeting fills in the rest from the build.
var (
	version   string
	revision  string
	reference string
	builtAt   string
)

// Version describes this build, for --version and the runner's log.
func Version() plugin.VersionInfo {
	return plugin.VersionInfo{
		Name: "fleeting-plugin-azure", Version: version, Revision: revision, Reference: reference, BuiltAt: builtAt,
	}
}
