// Package sshkeys owns the SSH key pair by which the plugin logs in to instances where
// nobody has configured a login: where its file is, how it is made, and how the public
// half gets among the keys of a scale set's model. Keys that were replaced are kept for
// the instances that were made with them.
//
// The private half leaves it as the result of Private and of Pair.Private alone; no error
// holds it. It must import no package of this module but internal/vmss.
package sshkeys
