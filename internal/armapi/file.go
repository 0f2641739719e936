package armapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxFile is far above the size of any certificate chain, in bytes.
const maxFile = 1 << 20

// fileError is the error of a credential's file. It never contains what is in the
// file.
type fileError struct {
	key, path, problem, fix string
	cause                   error
}

// Error names the key, the file, the problem and the fix.
func (e *fileError) Error() string {
	return fmt.Sprintf("%s %q %s; fix: %s", e.key, e.path, e.problem, e.fix)
}

// Unwrap returns the cause.
func (e *fileError) Unwrap() error { return e.cause }

func readFile(key, path string) ([]byte, error) {
	bad := &fileError{key: key, path: path}
	content, err := readLimited(path)
	switch {
	case errors.Is(err, errDirectory):
		bad.problem, bad.fix = "is a directory", "use the path of the file in it"
	case errors.Is(err, fs.ErrNotExist):
		bad.problem, bad.fix = "does not exist", "create it or correct the path"
	case errors.Is(err, fs.ErrPermission):
		bad.problem, bad.fix = "is not readable", "let the runner's user read it"
	case err != nil:
		bad.problem, bad.fix = "cannot be read", "check the file and its disk: "+pathErrorCause(err)
	case len(bytes.TrimSpace(content)) == 0:
		bad.problem, bad.fix = "is empty", "write the credential into it"
	case len(content) > maxFile:
		bad.problem, bad.fix = "is too large for a credential", "correct the path"
	default:
		return content, nil
	}
	bad.cause = err
	return nil, bad
}

var errDirectory = errors.New("is a directory")

func readLimited(path string) ([]byte, error) {
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

// pathErrorCause leaves out the operation and the path: the message has them.
func pathErrorCause(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
