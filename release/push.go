package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"gitlab.com/gitlab-org/fleeting/fleeting-artifact/pkg/client"
)

// repository is where the plugin is in a registry, given as host[:port][/path].
func repository(registry string) (string, error) {
	host, rest, _ := strings.Cut(registry, "/")
	// fleeting-artifact takes a host without a dot for a group on GitLab.com.
	if bare, port, hasPort := strings.Cut(host, ":"); bare == "localhost" {
		host = "127.0.0.1"
		if hasPort {
			host += ":" + port
		}
	}
	if !strings.Contains(host, ".") {
		return "", fmt.Errorf("release: registry host %q has no dot, so fleeting would look for it on registry.gitlab.com; fix: REGISTRY=host.domain/path", host)
	}
	repo := path.Join(host, rest, pluginName)
	if _, err := name.NewRepository(repo, name.StrictValidation); err != nil {
		return "", fmt.Errorf("release: registry %q: %w; fix: REGISTRY=host.domain[:port][/path]", registry, err)
	}
	return repo, nil
}

// pushed is what a registry has of a release, by digest.
type pushed struct {
	index  string              // of all platforms
	images map[platform]string // of one
}

// push sends the binaries in dir, one image for each platform, and moves the
// tags latest, major and minor where they should point to this version now. An
// index that lacked a platform would be worse than none: a 64-bit host takes
// the 32-bit image then.
func push(ctx context.Context, dir, repo, version string, date time.Time) (pushed, error) {
	var artifacts []client.Artifact
	for _, p := range platforms() {
		file := filepath.Join(dir, p.plugin())
		if _, err := os.Stat(file); err != nil {
			return pushed{}, fmt.Errorf("release: push %s: %w; fix: build all platforms first", repo, err)
		}
		artifacts = append(artifacts, client.Artifact{
			Platform: p.oci(),
			ReaderFn: func() (io.ReadCloser, error) { return layer(file, date) },
		})
	}
	c, err := client.New()
	if err != nil {
		return pushed{}, err
	}
	index, err := c.Push(ctx, repo+":"+version, artifacts)
	if err != nil {
		return pushed{}, fmt.Errorf("release: push %s:%s: %w; fix: log in to the registry, or see what it wants", repo, version, err)
	}
	return look(ctx, index)
}

// look reads an index back from its registry.
func look(ctx context.Context, address string) (pushed, error) {
	ref, err := name.NewDigest(address)
	if err != nil {
		return pushed{}, err
	}
	index, err := remote.Index(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		return pushed{}, fmt.Errorf("release: read %s back: %w", address, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return pushed{}, fmt.Errorf("release: read %s back: %w", address, err)
	}
	found := pushed{index: address, images: map[platform]string{}}
	for _, image := range manifest.Manifests {
		p := platform{image.Platform.OS, image.Platform.Architecture + image.Platform.Variant}
		found.images[p] = ref.Context().Digest(image.Digest.String()).String()
	}
	return found, nil
}

// layer is a file as the layer of an image, which depends on the file's bytes
// and on date alone.
func layer(file string, date time.Time) (io.ReadCloser, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	var head bytes.Buffer
	w := tar.NewWriter(&head)
	for _, h := range []tar.Header{
		{Typeflag: tar.TypeDir, Name: "plugin/", Mode: 0o755, ModTime: date},
		{Typeflag: tar.TypeReg, Name: "plugin/" + filepath.Base(file), Mode: 0o755, ModTime: date, Size: info.Size()},
	} {
		if err := w.WriteHeader(&h); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	// No blocks that end the archive: fleeting-artifact stops reading at them,
	// before the registry's response ends and its digest is checked.
	const block = 512
	rest := make([]byte, (block-info.Size()%block)%block)
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(&head, f, bytes.NewReader(rest)), f}, nil
}
