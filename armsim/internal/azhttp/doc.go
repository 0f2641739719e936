// Package azhttp is what the simulator's HTTP fronts share, Resource Manager's
// and Entra ID's: responses, errors in Azure's shape, what a fault does to a
// response, and the journal. It must not import any package of this module but
// fault, world and the leaves below armsim/internal.
package azhttp
