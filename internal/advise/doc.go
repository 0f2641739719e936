// Package advise searches for the idle policies that suit recorded jobs: which wait how
// long at what cost, and which of them to take. What is simulated is in sim, what is read
// in jobs.
//
// It must not import the plugin or Azure's SDK.
package advise
