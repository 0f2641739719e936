// Package vmss has the types in which this module speaks of a Virtual Machine
// Scale Set, and the interface of a client for one. It stands between
// instancegroup, which decides what to do with a scale set, and
// internal/armapi, which knows how Azure does it in each orchestration mode.
//
// It is a leaf: it must not import any package of this module, nor Azure's SDK.
package vmss
