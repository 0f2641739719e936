// Package jobs reads records of CI jobs: what GitLab's REST API has of them, as glab
// prints it, or CSV. Records are streamed: what is kept of a job is when it arrived in
// the queue and how long it ran.
//
// It is a leaf: it must not import any package of this module.
package jobs
