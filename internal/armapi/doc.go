// Package armapi puts Azure's SDK behind vmss.Client: credentials and clouds,
// clients, pages gathered into slices, deadlines, request limits, Azure's
// resources turned into vmss's, and how instances are listed, read and deleted in
// each orchestration mode.
//
// It alone imports armcompute and azidentity (armerr looks at azidentity's
// errors). Of this module it may import armerr, armops, budget,
// config and vmss. Whether and when to do something is instancegroup's to
// decide.
package armapi
