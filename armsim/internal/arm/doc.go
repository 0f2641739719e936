// Package arm is the simulator's Azure Resource Manager over HTTP: routes,
// rights, conditions, request limits, handlers, rendering of resources, and
// errors in Azure's shape. What is simulated is package world's. It must not
// import any package of this module but azhttp, entra, fault, world and the
// leaves below armsim/internal.
package arm
