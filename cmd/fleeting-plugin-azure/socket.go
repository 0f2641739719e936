package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

const (
	// socketDirVariable names the directory for go-plugin's sockets
	// (EnvUnixSocketDir in its constants.go), which is that for temporary files
	// otherwise.
	socketDirVariable = "PLUGIN_UNIX_SOCKET_DIR"

	// cookieVariable is in the environment of a process that the runner started
	// (Handshake in fleeting's internal/plugin/plugin.go); others end at once.
	cookieVariable = "FLEETING_INSTANCE_GROUP_PLUGIN"

	socketDirPrefix = "fleeting-azure-"

	// socketName is the longest that go-plugin gives, and socketPathMax what a path
	// may have on macOS, where it is least: 104 bytes with the zero at its end.
	socketName    = "plugin4294967295"
	socketPathMax = 103

	// startLimit is far longer than a plugin takes from its directory to a socket
	// that accepts connections.
	startLimit = time.Minute
)

// ownSocketDir has go-plugin make its socket in a directory of this process, and
// returns what removes that. go-plugin removes its socket only when the runner
// asks it to end, and nothing removes that of a process that was killed: the
// directories of such processes are removed here. On Windows there is no socket,
// and where its path would be too long the directory is left out.
func ownSocketDir() (remove func()) {
	remove = func() {}
	if runtime.GOOS == "windows" || os.Getenv(cookieVariable) == "" || os.Getenv(socketDirVariable) != "" {
		return remove
	}
	removeDead(os.TempDir())
	dir, err := os.MkdirTemp("", socketDirPrefix)
	if err != nil {
		return remove // go-plugin meets the same error, and reports it
	}
	remove = func() { removeSocketDir(dir) }
	if len(filepath.Join(dir, socketName)) > socketPathMax || os.Setenv(socketDirVariable, dir) != nil {
		remove()
	}
	return remove
}

// removeDead removes the directories of processes that have ended, as far as this
// user may.
func removeDead(temporary string) {
	dirs, _ := filepath.Glob(filepath.Join(temporary, socketDirPrefix+"*")) // no bad pattern
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() && time.Since(info.ModTime()) > startLimit && dead(dir) {
			removeSocketDir(dir)
		}
	}
}

func sockets(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, "plugin*")) // as go-plugin names them
	return found
}

// dead reports whether no process listens on a socket in dir, which a refused
// connection alone proves.
func dead(dir string) bool {
	for _, socket := range sockets(dir) {
		connection, err := net.DialTimeout("unix", socket, time.Second)
		if err == nil {
			_ = connection.Close()
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return false
		}
	}
	return true
}

// removeSocketDir removes the sockets in dir and then dir, if nothing else is in
// it. What cannot be removed stays, to no harm.
func removeSocketDir(dir string) {
	for _, socket := range sockets(dir) {
		_ = os.Remove(socket)
	}
	_ = os.Remove(dir)
}
