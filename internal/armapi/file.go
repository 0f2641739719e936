package armapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxFile is far above any certificate chain, in bytes.
const maxFile = 1 << 20

// fileError is a credential's file that cannot be used. It never tells what
// the file holds.
type fileError struct {
	key, path, what, fix string
	cause                error
}

// Error names the key, the file, what is wrong and what mends it.
func (e *fileError) Error() string {
	return fmt.Sprintf("%s %q %s; fix: %s", e.key, e.path, e.what, e.fix)
}

// Unwrap returns the cause.
func (e *fileError) Unwrap() error { return e.cause }

func readFile(key, path string) ([]byte, error) {
	bad := &fileError{key: key, path: path}
	content, err := slurp(path)
	switch {
	case errors.Is(err, errDirectory):
		bad.what, bad.fix = "is a directory", "give the path of the file in it"
	case errors.Is(err, fs.ErrNotExist):
		bad.what, bad.fix = "does not exist", "create it or correct the path"
	case errors.Is(err, fs.ErrPermission):
		bad.what, bad.fix = "may not be read", "let the runner's user read it"
	case err != nil:
		bad.what, bad.fix = "cannot be read", "check the file and its disk: "+reason(err)
	case len(bytes.TrimSpace(content)) == 0:
		bad.what, bad.fix = "is empty", "write the credential into it"
	case len(content) > maxFile:
		bad.what, bad.fix = "is longer than any credential", "correct the path"
	default:
		return content, nil
	}
	bad.cause = err
	return nil, bad
}

var errDirectory = errors.New("is a directory")

func slurp(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errDirectory
	}
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// reason leaves out the operation and path, which the message has already.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
