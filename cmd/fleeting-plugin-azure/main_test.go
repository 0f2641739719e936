package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestServes(t *testing.T) {
	for line, want := range map[string]bool{
		"": true, "serve": true, "anything": true, "-version=false": true, "-- serve": true,
		"version": false, "-version": false, "--version": false, "-version serve": false,
		"bootstrap": false, "bootstrap azure": false, "-h": false, "-unknown": false,
	} {
		assert.Equal(t, want, serves(strings.Fields(line)), line)
	}
}
