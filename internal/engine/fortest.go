package engine

import (
	"os"
	"testing"
)

// Variable is the environment variable that makes ForTest fail where it would
// skip, when it is not empty.
const Variable = "REQUIRE_DOCKER"

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
		t.Skipf("**** NOT TESTED WITH DOCKER: %v ****", err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}
