// Package doctor finds out why a runner does not, or will not, get its instances: from
// the runner's config.toml, the machine that it runs on, and Azure, of which it changes
// nothing. Each check yields findings, and each finding the fix as a line or a command to
// paste.
//
// It must not import the plugin, fleeting or Azure's SDK.
package doctor
