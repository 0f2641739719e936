package dockerengine

import (
	"fmt"
	"os"
	"testing"
)

// Variable is the environment variable that makes ForTest fail where it would
// skip, when it is not empty.
const Variable = "REQUIRE_DOCKER"

// skipsVariable names a file that takes a line for each test that is skipped:
// `go test` does not show them when a package passes.
const skipsVariable = "SKIPS_FILE"

// ForTest is Start for a test, and Close at its end. Where there is no engine
// the test is skipped, or fails if Variable says so.
func ForTest(t testing.TB) *Engine {
	t.Helper()
	e, err := Start(t.Context())
	switch {
	case err == nil:
	case os.Getenv(Variable) != "":
		t.Fatalf("%s is set: %v", Variable, err)
	default:
		Skip(t, fmt.Sprintf("**** NOT TESTED WITH DOCKER: %v ****", err))
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// Skip skips a test for want of something on this machine, and has the reason shown
// at the end of `make test`.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if name := os.Getenv(skipsVariable); name != "" {
		file, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := fmt.Fprintln(file, reason); err != nil {
			t.Fatal(err)
		}
	}
	t.Skip(reason)
}
