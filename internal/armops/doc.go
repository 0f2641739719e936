// Package armops lists every operation of Azure Resource Manager that this
// module uses: its name in Azure's specification, request line, API version
// and the permission that it needs.
//
// It is a leaf: it must not import any package, of this module or another.
package armops
