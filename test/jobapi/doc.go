// Package jobapi is a stand-in for the part of GitLab's API by which a runner
// gets jobs and reports their results: verify, request, trace, update and
// artifacts, in the subset that GitLab 15.3 and later share. The facts are from
// GitLab Runner's network package (v17.9.3) and GitLab's lib/api/ci/runner.rb.
//
// There is also a small control endpoint for people, under /control.
// It must import nothing of this module.
package jobapi
