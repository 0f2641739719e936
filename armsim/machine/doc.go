// Package machine is the reachable side of a simulated instance: a loopback
// address of its own, an SSH server on it, a real shell in a private directory,
// and a complete death on demand.
//
// A command runs as the user of this process, in the host's own network and
// file system; only its directory, its addresses and its lifetime are its own.
// Death reaches every process that still carries the machine's token in the
// environment it was started with; a process started with an emptied
// environment outlives its machine. Finding such processes needs Linux;
// elsewhere only the process groups of open sessions are killed.
//
// The package knows nothing of Azure: it must not import any other package of
// this module, nor the Azure SDK.
package machine
