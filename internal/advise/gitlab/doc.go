// Package gitlab reads the jobs of projects or of a runner from GitLab's REST API, as a
// stream of JSON that package jobs takes, and keeps those that do not change any more in
// a cache.
//
// It must not import any package of this module.
package gitlab
