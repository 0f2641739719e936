// Package setup makes what a runner needs at Azure, from an empty subscription or beside
// what is there: resource group, network, scale set, and a role with least permissions
// for an identity. It compares what is wanted with what is there, shows the difference,
// and makes that, so that it can be run again at any time, or go on where it was broken
// off. It also removes what it made, and nothing else.
//
// It must not import the plugin, fleeting or Azure's SDK.
package setup
