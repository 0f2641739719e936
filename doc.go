// Package azure is a fleeting plugin for GitLab Runner that scales an Azure
// Virtual Machine Scale Set. InstanceGroup adapts package instancegroup to
// fleeting: it decodes and checks plugin_config, names states in fleeting's
// words, and hands out addresses and credentials.
//
// It is the only package that imports fleeting's provider interface.
package azure
