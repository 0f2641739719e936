package dockerengine

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/moby/moby/client"
)

// Import makes an image of a static busybox with all its commands in /bin, and
// of files, whose modes are kept and which win over what is there; nil adds
// none. changes are lines of a Dockerfile, such as `ENV A=b`. Nothing is pulled.
// It returns the image's name, name with a tag that nobody else has; name
// has lower case only. Close removes the image and every container made from it.
func (e *Engine) Import(ctx context.Context, name string, files fs.FS, changes ...string) (string, error) {
	ref := name + ":" + strings.ToLower(rand.Text())
	e.mu.Lock()
	e.images = append(e.images, ref) // before it is there: a response can be lost
	e.mu.Unlock()
	if err := e.load(ctx, ref, files, changes); err != nil {
		return "", fmt.Errorf("import image %s: %w", ref, err)
	}
	return ref, nil
}

func (e *Engine) load(ctx context.Context, ref string, files fs.FS, changes []string) error {
	r, w := io.Pipe()
	defer r.Close()
	go func() { w.CloseWithError(writeRoot(ctx, w, files)) }()
	from := client.ImageImportSource{SourceName: "-", Source: r}
	// Two images of the same bytes must differ: the engine would take the one
	// for the other.
	changes = append(slices.Clone(changes), "LABEL imported="+ref)
	response, err := e.client.ImageImport(ctx, from, ref, client.ImageImportOptions{Changes: changes})
	if err != nil {
		return err
	}
	defer response.Close()
	for decoder := json.NewDecoder(response); ; {
		var line struct{ Error string }
		switch err := decoder.Decode(&line); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case line.Error != "":
			return errors.New(line.Error)
		}
	}
}

// writeRoot writes the image's root directory as a tar stream.
func writeRoot(ctx context.Context, w io.Writer, files fs.FS) error {
	path, err := findBusybox()
	if err != nil {
		return err
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	commands, err := exec.CommandContext(ctx, path, "--list").Output()
	if err != nil {
		return fmt.Errorf("list the commands of %s: %w", path, err)
	}
	t := tar.NewWriter(w)
	err = errors.Join(
		t.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}),
		writeFile(t, "etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\n")),
		writeFile(t, "etc/group", 0o644, []byte("root:x:0:\n")),
		writeFile(t, "bin/busybox", 0o755, program),
	)
	for _, command := range bytes.Fields(commands) {
		if name := string(command); name != "busybox" {
			err = errors.Join(err, t.WriteHeader(&tar.Header{Name: "bin/" + name, Typeflag: tar.TypeSymlink, Linkname: "busybox"}))
		}
	}
	if files != nil {
		err = errors.Join(err, t.AddFS(files))
	}
	return errors.Join(err, t.Close())
}

func writeFile(t *tar.Writer, name string, mode int64, data []byte) error {
	err := t.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(data))})
	if err != nil {
		return err
	}
	_, err = t.Write(data)
	return err
}

// findBusybox wants a static one: an image has no C library.
func findBusybox() (string, error) {
	path, err := exec.LookPath("busybox")
	if err != nil {
		return "", fmt.Errorf("busybox, which images are made of, is not on PATH; %s", install)
	}
	file, err := elf.Open(path)
	if err != nil {
		return "", fmt.Errorf("look into %s: %w; %s", path, err, install)
	}
	defer file.Close()
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s needs shared libraries, which images have not; %s", path, install)
		}
	}
	return path, nil
}
