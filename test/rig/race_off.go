//go:build !race

package rig

const raceShare = 1
