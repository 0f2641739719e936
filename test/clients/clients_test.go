// Package clients_test has armsim's strangers: clients that share no line with this
// project, and none of its beliefs about Azure. They are Azure CLI and Microsoft's
// SDK for JavaScript. Those that are not installed are skipped, unless
// REQUIRE_CLIENTS is set, as by make clients.
package clients_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/dockerengine"
)

// publicKey is one of nobody's.
const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA nobody"

var modes = []string{"Uniform", "Flexible"}

// missing skips the test of a client that is not installed.
func missing(t *testing.T, client, install string) {
	t.Helper()
	if os.Getenv("REQUIRE_CLIENTS") != "" {
		t.Fatalf("REQUIRE_CLIENTS is set, and there is no %s; to install it: %s", client, install)
	}
	dockerengine.Skip(t, fmt.Sprintf("**** NOT TESTED WITH %s; to install it: %s ****", client, install))
}

// start starts a simulator whose instances are quick, and hostile as ever.
func start(t *testing.T) *armsim.Server {
	t.Helper()
	return armsim.Start(t, armsim.Config{
		NoMachines: runtime.GOOS != "linux",
		Boot:       armsim.Duration{Median: 300 * time.Millisecond}, Delete: armsim.Duration{Median: 200 * time.Millisecond},
		Power: armsim.Duration{Median: 100 * time.Millisecond},
	})
}

// simulates reports whether armsim's page has the operation; a test compares that
// page with the program. Steps of operations that are not simulated are left out.
func simulates(t *testing.T, operation string) bool {
	t.Helper()
	page, err := os.ReadFile("../../docs/reference/armsim.md")
	require.NoError(t, err)
	return strings.Contains(string(page), "| `"+operation+"` |")
}

// checkJournal finds requests that were not simulated or not successful. Those in
// refused, as OPERATION STATUS, a client asked for.
func checkJournal(t *testing.T, s *armsim.Server, refused ...string) {
	t.Helper()
	assert.Empty(t, s.Stats().NotSimulated)
	for _, e := range s.Journal() {
		if e.Status >= http.StatusBadRequest && !slices.Contains(refused, fmt.Sprint(e.Operation, " ", e.Status)) {
			t.Errorf("%s %s?api-version=%s: %d %s", e.Method, e.Path, e.APIVersion, e.Status, e.Code)
		}
	}
}

// execute runs a client to its end and returns what it printed.
func execute(t *testing.T, env []string, dir, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Env, command.Dir = append(os.Environ(), env...), dir
	command.WaitDelay = 10 * time.Second
	var out, errs strings.Builder
	command.Stdout, command.Stderr = &out, &errs
	err = command.Run()
	return out.String(), errs.String(), err
}
