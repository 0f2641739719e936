// Package stand brings up what the plugin works amid in real life: a simulated
// scale set, a stand-in for GitLab, and a real GitLab Runner with a config.toml
// as a user would write it. The command e2e tests with it, the command dev is it
// for trying things by hand.
package stand
