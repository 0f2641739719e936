// Package armsim is a stateful simulator of Azure Resource Manager for clients
// of Virtual Machine Scale Sets: an HTTPS endpoint for ARM, Entra ID and cloud
// metadata, a separate loopback control endpoint, and instances that are
// reachable machines with an SSH server of their own.
//
// It takes its shapes from Azure's REST specification and from recorded
// traffic, never from an SDK's models: it must not share a client's
// misreadings. So it must not import Azure's SDK, nor any package of this
// module but those below armsim.
//
// It is hostile where Azure is: pages are short, resource IDs come back in odd
// case, unknown fields appear, no instance runs when it is accepted. All chance comes from
// one seed, which is printed. docs/reference/armsim.md says what is simulated,
// what is only believed, and what is left out.
//
// This package is the public face. Below armsim/internal are, each importing
// only those after it: arm, Resource Manager over HTTP; entra, Entra ID;
// azhttp, what these two share; fault, the rules of what goes wrong; and world,
// what is simulated, which knows nothing of HTTP.
package armsim
