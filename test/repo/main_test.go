// Package repo_test checks the repository itself: who imports whom, and whether
// the documentation is true.
package repo_test

import (
	"log"
	"os"
	"testing"
)

// TestMain has all tests look at the module's root.
func TestMain(m *testing.M) {
	if err := os.Chdir("../.."); err != nil {
		log.Fatal(err)
	}
	os.Exit(m.Run())
}
