// Package launch builds and starts the plugin and the simulator as processes, for
// tests that look at the plugin as the runner does: over gRPC. It must not
// import the plugin's own packages, except the one of its configuration.
package launch

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "gitlab.com/fleeting-azure/fleeting-plugin-azure"

// built is what Binary has built.
var built struct {
	once       sync.Once
	dir        string
	err        error
	demoOnce   sync.Once
	demoErr    error
	asReleased bool
}

// build makes binaries in a directory. Their flags are those of the tests
// themselves, so that the race detector looks into the plugin's own process, too,
// or those of the Makefile's BUILD. With any others Go would compile Azure's SDK
// once more, which takes minutes.
func build(dir string, packages ...string) error {
	args := []string{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", dir + string(filepath.Separator)}
	for _, flag := range []string{"-race", "-trimpath"} {
		if isSet(flag) && !built.asReleased {
			args = append(args, flag)
		}
	}
	if built.asReleased {
		args = append(args, "-trimpath")
	}
	command := exec.Command("go", append(args, packages...)...)
	command.Env = os.Environ()
	if built.asReleased {
		command.Env = append(command.Env, "CGO_ENABLED=0")
	}
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	return nil
}

// buildAll makes both binaries in a new directory.
func buildAll() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "fleeting-plugin-azure-"); err != nil {
		return "", err
	}
	return dir, build(dir, module+"/cmd/fleeting-plugin-azure", module+"/cmd/armsim")
}

// isSet reports whether the tests were built with a flag.
func isSet(flag string) bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: flag, Value: "true"})
}

// MainAsReleased is Main for tests of the binaries as they are released: without
// cgo and the race detector, with which the process of a plugin takes three times
// as long.
func MainAsReleased(m *testing.M) int {
	built.asReleased = true
	runAtOnce(20)
	return Main(m)
}

// runAtOnce has at least that many parallel tests run at a time: they wait for
// processes, and these for simulated time, far more than they compute.
func runAtOnce(n int) {
	flag.Parse()
	f := flag.Lookup("test.parallel")
	if now, err := strconv.Atoi(f.Value.String()); err == nil && now < n {
		_ = f.Value.Set(strconv.Itoa(n))
	}
}

// Main runs the tests of a package, and removes what Binary has built for them.
// It is for TestMain.
func Main(m *testing.M) int {
	defer func() {
		if built.dir != "" {
			_ = os.RemoveAll(built.dir)
		}
	}()
	return m.Run()
}

// Binary builds the plugin and the simulator, once in a test process, and
// returns the path of one of them; or the demo, which is next to them, since it looks
// for them there.
func Binary(t *testing.T, name string) string {
	t.Helper()
	built.once.Do(func() { built.dir, built.err = buildAll() })
	require.NoError(t, built.err)
	if name == "demo" {
		built.demoOnce.Do(func() { built.demoErr = build(built.dir, module+"/demo") })
		require.NoError(t, built.demoErr)
	}
	return filepath.Join(built.dir, name)
}
