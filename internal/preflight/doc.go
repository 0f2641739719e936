// Package preflight checks a scale set's model before it serves jobs: what
// would kill jobs, and what would cost time or money.
//
// It is nearly a leaf: of this module it may import vmss alone. It sends nothing.
package preflight
