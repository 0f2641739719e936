package machine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// cloudInit stands for the cloud-init of an image: clients wait for it with
// cloud-init status --wait. There is nothing to wait for, as custom data is not run.
const cloudInit = `#!/bin/sh
test "$1" = status || { echo "armsim has of cloud-init only its status" >&2; exit 1; }
echo "status: done"
`

// toolsDir is where the machine's own commands are, out of sight of ls.
func toolsDir(dir string) string { return filepath.Join(dir, ".armsim") }

// makeTools writes them. Meanwhile nothing is forked: a child would keep the file open
// for writing, and Linux refuses to run such a file (golang/go#22315).
func makeTools(dir string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.Mkdir(toolsDir(dir), 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(toolsDir(dir), "cloud-init"), []byte(cloudInit), 0o700)
}

// usualPath is a machine's PATH unless the configuration has another.
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// withTools puts the machine's own commands into PATH, before those of the usual one and
// of this process's, and after what the configuration adds to them.
func withTools(env []string, dir string) []string {
	path, inherited := "", slices.Concat(filepath.SplitList(usualPath), filepath.SplitList(os.Getenv("PATH")))
	for _, pair := range env {
		if value, ok := strings.CutPrefix(pair, "PATH="); ok {
			path = value // the last one counts
		}
	}
	var added, others []string
	for _, entry := range filepath.SplitList(path) {
		if len(others) == 0 && !slices.Contains(inherited, entry) {
			added = append(added, entry)
			continue
		}
		others = append(others, entry)
	}
	all := slices.Concat(added, []string{toolsDir(dir)}, others)
	return append(env, "PATH="+strings.Join(all, string(os.PathListSeparator)))
}
