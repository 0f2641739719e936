// Package instancegroup says what a scale set is and does for a fleet of
// runners: which instances it has and in what state, how it grows by n, how it
// loses exactly the instances named, and where they can be reached.
//
// It holds the plugin's promises: capacity is only ever raised, relative to a
// fresh read and under If-Match; instances are removed by identity alone; a
// view of the group is complete or it is an error.
//
// It declares the Cloud interface that it needs. It must not import fleeting,
// Azure's SDK, or any package of this module but internal/armerr.
package instancegroup
