// Package preflight checks a scale set's model before it serves jobs: what
// would kill jobs, and what would cost time or money.
//
// Of this module it may import vmss only. It sends nothing.
package preflight
