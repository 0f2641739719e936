// Package armapi puts Azure's SDK behind instancegroup's Cloud interface:
// credentials and clouds, clients, pages gathered into slices, deadlines, and
// the SDK's models turned into instancegroup's.
//
// It alone imports armcompute, armnetwork and azidentity (armerr looks at
// azidentity's errors). Of this module it may import armerr, armops, config
// and instancegroup. It takes no decisions: those are instancegroup's.
package armapi
