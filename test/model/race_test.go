//go:build race

package model_test

// The race detector makes a sequence some seven times as slow. `make test` runs
// them all without it, and some with it.
func init() { sequences = 24 }
