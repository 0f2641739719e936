// Package entra is the simulator's Entra ID: principals and their access
// tokens, the token endpoint with its discovery documents, the cloud's metadata
// and the TLS identity of the endpoint. It must not import any package of this
// module but azhttp, fault, world and the leaves below armsim/internal.
package entra
