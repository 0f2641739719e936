package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/sim"
)

// TestMain lets advise start its simulations, as main does.
func TestMain(m *testing.M) {
	sim.Child()
	os.Exit(m.Run())
}

func TestServes(t *testing.T) {
	for line, want := range map[string]bool{
		"": true, "serve": true, "anything": true, "-version=false": true, "-- serve": true,
		"version": false, "-version": false, "--version": false, "-version serve": false,
		"bootstrap": false, "bootstrap azure": false, "-h": false, "-unknown": false,
	} {
		assert.Equal(t, want, serves(strings.Fields(line)), line)
	}
}
