package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// The simulator is released as a container image for those who test against it:
// one static binary, and nothing else.

const (
	simulatorName = "armsim"

	simulatorPort        = "8443"
	simulatorControlPort = "8444"
)

// simulatorPlatforms are those that containers run on.
var simulatorPlatforms = []platform{{"linux", "amd64"}, {"linux", "arm64"}}

// simulatorEntrypoint comes before a user's flags, and a later flag counts.
// Machines need Linux's loopback addresses for all that reach them, which a
// container does not share.
var simulatorEntrypoint = []string{
	"/" + simulatorName, "--no-machines", "--listen", "0.0.0.0:" + simulatorPort, "--listen-control", "0.0.0.0:" + simulatorControlPort, "--host", simulatorName,
}

// simulator is the place of the simulator's binary among what is built.
func (p platform) simulator() string {
	return filepath.Join(simulatorName, p.os, p.arch, simulatorName)
}

// makeSimulator builds the simulator for its platforms, and lists what is in it.
func makeSimulator(ctx context.Context, s source, version, out, downloads string) error {
	for _, p := range simulatorPlatforms {
		fmt.Println("build", simulatorName, p)
		binary, err := filepath.Abs(filepath.Join(out, p.simulator()))
		if err != nil {
			return err
		}
		if err := build(ctx, s, version, p, simulatorName, binary); err != nil {
			return err
		}
	}
	binary := filepath.Join(out, simulatorPlatforms[0].simulator())
	return describe(ctx, version, binary, filepath.Join(downloads, simulatorName+".cdx.json"))
}

// simulatorIndex is the image for all its platforms, of the binaries in out. It
// depends on their bytes and on date alone.
func simulatorIndex(out string, date time.Time) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range simulatorPlatforms {
		image, err := simulatorImage(filepath.Join(out, p.simulator()), p, date)
		if err != nil {
			return nil, fmt.Errorf("release: image of %s for %s: %w", simulatorName, p, err)
		}
		of := p.oci()
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &of}})
	}
	return index, nil
}

func simulatorImage(binary string, p platform, date time.Time) (v1.Image, error) {
	files, err := simulatorFiles(binary, date)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), layer)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, &v1.ConfigFile{
		OS: p.os, Architecture: p.goArch(), Variant: p.variant(), Created: v1.Time{Time: date},
		Config: v1.Config{
			Entrypoint: simulatorEntrypoint, User: "65532:65532",
			ExposedPorts: map[string]struct{}{simulatorPort + "/tcp": {}, simulatorControlPort + "/tcp": {}},
		},
		RootFS: rootFS(image),
	})
}

// rootFS is that of an image that has one.
func rootFS(image v1.Image) v1.RootFS {
	config, err := image.ConfigFile()
	if err != nil {
		return v1.RootFS{} // which the image's own check refuses
	}
	return config.RootFS
}

// simulatorFiles are the binary and the directory for what it keeps for a while.
func simulatorFiles(binary string, date time.Time) ([]byte, error) {
	text, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777, ModTime: date},
		{Typeflag: tar.TypeReg, Name: simulatorName, Mode: 0o755, ModTime: date, Size: int64(len(text))},
	} {
		if err := w.WriteHeader(&h); err != nil {
			return nil, err
		}
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	return files.Bytes(), w.Close()
}

// pushSimulator sends the image, and moves its tag latest. It returns the image's
// address by digest.
func pushSimulator(ctx context.Context, out, repo, version string, date time.Time) (string, error) {
	index, err := simulatorIndex(out, date)
	if err != nil {
		return "", err
	}
	at, err := name.NewRepository(repo+"/"+simulatorName, name.StrictValidation)
	if err != nil {
		return "", fmt.Errorf("release: %w", err)
	}
	for _, tag := range []string{version, "latest"} {
		if err := remote.WriteIndex(at.Tag(tag), index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
			return "", fmt.Errorf("release: push %s: %w; fix: log in to the registry, or see what it wants", at.Tag(tag), err)
		}
	}
	digest, err := index.Digest()
	if err != nil {
		return "", fmt.Errorf("release: %s: %w", at, err)
	}
	return at.Digest(digest.String()).String(), nil
}
