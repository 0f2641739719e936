// Package testbed brings up what the plugin works with in production: a scale
// set, which is simulated, GitLab, which package jobapi stands in for, and a real
// GitLab Runner with a config.toml as a user would write it. The command e2e
// tests with it; the command dev is it, to try things by hand.
package testbed
