// Package dockerengine finds or starts a real Docker Engine for tests, and makes
// images for it without a registry.
//
// It belongs to tests and to the programs that test: nothing that is shipped
// may import it.
package dockerengine
