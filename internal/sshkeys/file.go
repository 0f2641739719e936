package sshkeys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// othersMay are the permission bits of everybody but the owner and the group.
const othersMay fs.FileMode = 0o007

// maxFile is far above the size of any private key, in bytes.
const maxFile = 64 << 10

// fileError is what is wrong with the file of a key. It holds nothing of the key.
type fileError struct {
	path, problem, fix string
	cause              error // nil: the problem is not the system's
}

// Error names the file, the problem and the fix.
func (e *fileError) Error() string {
	return fmt.Sprintf("ssh_key_file %s %s; fix: %s", e.path, e.problem, e.fix)
}

// Unwrap returns the cause.
func (e *fileError) Unwrap() error { return e.cause }

// read reads a private key that nobody else can read.
func read(path string) (*Pair, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, readError(path, err)
	case info.IsDir():
		return nil, &fileError{path, "is a directory", "name a file in it", nil}
	case info.Size() > maxFile:
		return nil, &fileError{path, "is too large for a private key", "name the private half of an SSH key, or a file that does not exist: the plugin makes it", nil}
	case info.Mode().Perm()&othersMay != 0 && runtime.GOOS != "windows":
		return nil, &fileError{path, fmt.Sprintf("can be read by every user of this machine (mode %04o)", info.Mode().Perm()), "chmod 600 " + path, nil}
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, readError(path, err)
	}
	pair, err := Parse(content)
	if err != nil { // which might quote what is in the file
		return nil, &fileError{path, "is no private key of SSH without a passphrase", "name the private half of an SSH key, or a file that does not exist: the plugin makes it", nil}
	}
	if !strings.HasPrefix(pair.Public, "ssh-ed25519 ") && !strings.HasPrefix(pair.Public, "ssh-rsa ") {
		return nil, &fileError{path, "is of a type that Azure does not take", "name an Ed25519 or RSA key, or a file that does not exist: the plugin makes it", nil}
	}
	return pair, nil
}

func readError(path string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return &fileError{path, "cannot be read by the user that GitLab Runner runs as", "chown it to that user, or set ssh_key_file in plugin_config to a file that this user can read and write", err}
	}
	return &fileError{path, "cannot be read: " + reason(err), "check the file and its disk, or set ssh_key_file in plugin_config to another file", err}
}

// create writes a new key pair, unless another process does so at the same time: then the
// result is that one's.
func create(path, kind string) (*Pair, error) {
	pair, err := Generate(kind)
	if err != nil {
		return nil, err
	}
	err = Save(path, pair)
	if errors.Is(err, fs.ErrExist) {
		return read(path)
	}
	if err != nil {
		return nil, createError(path, err)
	}
	return pair, nil
}

// Save writes a new pair: the private half to path, for the owner alone, and the public
// half to path.pub, for people. It makes their directory, for the owner alone, and
// replaces no key: where there is one the error is fs.ErrExist. It is safe for concurrent
// use, also by several processes.
func Save(path string, pair *Pair) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := writeNew(path, pair.Private); err != nil {
		return err
	}
	temporary, err := writeTemporary(path, []byte(pair.Public+"\n"), 0o644)
	if err != nil {
		return err
	}
	return os.Rename(temporary, path+publicSuffix)
}

func createError(path string, err error) error {
	return &fileError{path, "cannot be made: " + reason(err), "let the user that GitLab Runner runs as write to its directory, or set ssh_key_file in plugin_config to a file in one that it can write to", err}
}

// reason leaves out the operation and the path: the message has them.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err.Error()
	}
	return err.Error()
}

// writeNew makes a file with its content at once, and fails with fs.ErrExist where there
// is one: a link, unlike a renaming, replaces nothing.
func writeNew(path string, content []byte) error {
	temporary, err := writeTemporary(path, content, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	err = os.Link(temporary, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// File systems without links, as SMB shares, are left with a file that is there
	// before its content.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return fill(f, content, 0o600)
}

// fill writes and closes a file that was made for it, and removes it where that fails:
// the next start would find a part of a key.
func fill(f *os.File, content []byte, mode fs.FileMode) error {
	_, err := f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

const publicSuffix = ".pub"

// writeTemporary writes a file beside path, and returns its name.
func writeTemporary(path string, content []byte, mode fs.FileMode) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return "", err
	}
	if err := fill(f, content, mode); err != nil {
		return "", err
	}
	return f.Name(), nil
}

// replaced are the keys that path held before: what was moved to path with something
// after it, as path.old or path.2026-11-26. What else is there is skipped: people put notes
// and backups beside a key.
func replaced(path string) (all []*Pair, skipped []Skipped, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, nil, readError(path, err)
	}
	prefix := filepath.Base(path) + "."
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) || strings.HasSuffix(e.Name(), publicSuffix) {
			continue
		}
		name := filepath.Join(filepath.Dir(path), e.Name())
		pair, err := read(name)
		if f, ok := errors.AsType[*fileError](err); ok {
			skipped = append(skipped, Skipped{name, f.problem})
			continue
		}
		all = append(all, pair)
	}
	return all, skipped, nil
}

// Skipped is a file that has the name of an earlier key, and cannot be used as one.
type Skipped struct {
	Path   string
	Reason string // "is a directory"; nothing of what is in it
}
