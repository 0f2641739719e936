// Package vmss has this module's types for a Virtual Machine Scale Set, and the
// interface of a client for one. It is the boundary between instancegroup, which
// decides what to do with a scale set, and internal/armapi, which knows how Azure
// does it in each orchestration mode.
//
// It is a leaf: it must not import any package of this module, nor Azure's SDK.
package vmss
