// Package instancegroup is the controller of a scale set: which instances it has
// and in what state, how it grows by n, how it loses exactly the instances named,
// and where they can be reached.
//
// It holds the plugin's promises: capacity is only ever raised, relative to a
// fresh read and under If-Match; instances are removed by identity alone; a
// view of the group is complete or it is an error.
//
// Group is an I/O shell around parts that each own their state and decide
// without a lock, a context or a clock: inventory, ledger, deletions, suspensions, warmPool,
// lease, backoff. docs/explanation/architecture.md shows how they work together.
//
// It must not import fleeting, Azure's SDK, or any package of this module but
// internal/vmss, internal/preflight and internal/armerr.
package instancegroup
