// Package load drives the plugin as GitLab Runner does: it starts simulator and
// plugin as processes, keeps the plugin running under taskscaler, the scaler in
// GitLab Runner, runs jobs on the instances over SSH, and counts what is left.
// demo, test/soak, test/e2e and dev are made of it.
//
// It uses what users can use: the binaries, armsim's control endpoint and
// fleeting's connector. Of this module it must import only armsim, armsim/process and,
// to read what a runner reads, internal/runnerconfig.
package load
