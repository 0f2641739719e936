// Package fleet is what the programs that drive the plugin as GitLab Runner does
// have in common: how plugin and scaler are set up for a simulated scale set,
// and what a job is. Of this module it must import nothing.
package fleet
