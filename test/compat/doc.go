// Package compat drives the built plugin with the fleeting of an older runner as
// that runner does: its plugin loader, its provisioner, its scaler and its connector.
// There are only tests. It is a module of its own, for a module has one version
// of fleeting, and it must not import the other module, which has the newest:
// it knows plugin and simulator as programs alone. go.mod has the fleeting of
// GitLab Runner 17.9.
package compat
