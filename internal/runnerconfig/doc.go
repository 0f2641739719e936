// Package runnerconfig reads the part of GitLab Runner's config.toml that decides how
// this plugin is used: the sections [[runners]] with their autoscaler. It is not the
// runner's own reader, which is not a library: it takes what that takes, and ignores what
// has nothing to do with scaling. Each key keeps the line on which it stands, for
// messages.
//
// It must not import the plugin, Azure's SDK or fleeting.
package runnerconfig
