// Package status shows a scale set as it is: its instances, its capacity, who manages it,
// what it costs. It only reads.
//
// It must not import the plugin, fleeting or Azure's SDK.
package status
