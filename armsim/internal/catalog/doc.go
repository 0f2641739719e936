// Package catalog is what the simulated cloud has on offer: VM sizes, platform
// and shared images, locations, restrictions, limits and accepted terms. It is a
// leaf: it imports nothing of this module.
//
// A Catalog takes no lock; the world's lock guards it.
package catalog
