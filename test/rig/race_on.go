//go:build race

package rig

// raceShare is the share of tests in virtual time that run with the race
// detector, as one of so many. It makes a test seven times as slow, most of it in
// decoding JSON, and looks for the same in each of them: how the plugin, the SDK
// and the provisioner share memory. All of them run without it in `make test`.
const raceShare = 4
