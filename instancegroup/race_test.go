//go:build race

package instancegroup

// The race detector makes a sequence several times as slow. `make test` runs all
// of them without it, and some with it.
func init() { sequences = 1000 }
