package sshkeys

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// DefaultFile is where the key of a scale set is: a directory of the plugin's beside the
// runner's config.toml, which is what the runner's packages and containers keep. The name
// depends on the scale set, so that those of two scale sets do not collide.
func DefaultFile(scaleSetID string, getenv func(string) string) string {
	name := scaleSetID[strings.LastIndexByte(scaleSetID, '/')+1:]
	sum := sha256.Sum256([]byte(strings.ToLower(scaleSetID)))
	return filepath.Join(stateDir(getenv), owner, fmt.Sprintf("id_%s-%s", strings.ToLower(name), hex.EncodeToString(sum[:4])))
}

// stateDir is where GitLab Runner itself looks for its config.toml (its variable
// CONFIG_FILE, and getDefaultConfigDirectory in its commands/config_unix.go and
// config_windows.go): the plugin is started by it, with its environment and as its user.
// A --config on its command line does not show here.
func stateDir(getenv func(string) string) string {
	if file := getenv("CONFIG_FILE"); filepath.IsAbs(file) {
		return filepath.Dir(file)
	}
	if runtime.GOOS == "windows" {
		dir, _ := os.Getwd()
		return dir
	}
	if home := getenv("HOME"); os.Getuid() != 0 && filepath.IsAbs(home) {
		return filepath.Join(home, ".gitlab-runner")
	}
	return "/etc/gitlab-runner"
}
