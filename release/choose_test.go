package main

import (
	"bytes"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting-artifact/pkg/client"
	"gitlab.com/gitlab-org/fleeting/fleeting-artifact/pkg/installer"
)

// nothing is what a host gets that no image is for.
const nothing = "didn't find an image matching platform"

// pushOnly pushes these platforms with the library, as our own push refuses to,
// and returns the index.
func pushOnly(t *testing.T, repo string, only ...platform) string {
	t.Helper()
	var artifacts []client.Artifact
	for _, p := range only {
		artifacts = append(artifacts, client.Artifact{Platform: p.oci(), ReaderFn: func() (io.ReadCloser, error) {
			return layer(filepath.Join(standIns(t, "0.1.0"), p.plugin()), made.date)
		}})
	}
	return pushArtifacts(t, repo, artifacts)
}

func pushArtifacts(t *testing.T, repo string, artifacts []client.Artifact) string {
	t.Helper()
	c, err := client.New()
	require.NoError(t, err)
	index, err := c.Push(t.Context(), repo+":0.1.0", artifacts)
	require.NoError(t, err)
	return index
}

// chosen is what a host of some platform gets of an index. The library chooses
// for others than its own host only when an image is the base of another.
func chosen(t *testing.T, index string, of v1.Platform) string {
	t.Helper()
	c, err := client.New()
	require.NoError(t, err)
	repo, _, _ := strings.Cut(index, "@")
	result, err := c.Push(t.Context(), repo+"-chosen:0.1.0", []client.Artifact{{
		Platform: of, Base: index,
		ReaderFn: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(make([]byte, 1024))), nil },
	}})
	if err != nil {
		require.ErrorContains(t, err, nothing)
		return nothing
	}
	layers := layersByPlatform(t, index)
	for _, base := range layersByPlatform(t, result) {
		for p, digest := range layers {
			if base == digest {
				return p.String()
			}
		}
	}
	t.Fatal("an image of none of the platforms was chosen")
	return ""
}

// layersByPlatform are the digests of the first layers.
func layersByPlatform(t *testing.T, index string) map[platform]string {
	t.Helper()
	got, err := look(t.Context(), index)
	require.NoError(t, err)
	layers := map[platform]string{}
	for p, address := range got.images {
		image := fetch(t, address)
		manifest, err := image.Manifest()
		require.NoError(t, err)
		layers[p] = manifest.Layers[0].Digest.String()
	}
	return layers
}

// TestChosen: a host gets what it can run at its best, or an error.
func TestChosen(t *testing.T) {
	_, got := newRegistry(t).release(t, standIns(t, "0.1.0"))
	for _, c := range []struct {
		os, arch, variant string
		want              string
	}{
		{os: "linux", arch: "amd64", want: "linux/amd64"},
		{os: "linux", arch: "amd64", variant: "v3", want: "linux/amd64"},
		{os: "linux", arch: "386", want: "linux/386"},
		{os: "linux", arch: "arm64", want: "linux/arm64"},
		{os: "linux", arch: "arm64", variant: "v8", want: "linux/arm64"}, // as containerd reads it from the CPU
		{os: "linux", arch: "arm", want: "linux/armv7"},
		{os: "linux", arch: "arm", variant: "v8", want: "linux/armv7"},
		{os: "linux", arch: "arm", variant: "v7", want: "linux/armv7"},
		{os: "linux", arch: "arm", variant: "v6", want: nothing},
		{os: "linux", arch: "arm", variant: "v5", want: nothing},
		{os: "linux", arch: "ppc64le", want: "linux/ppc64le"},
		{os: "linux", arch: "ppc64", want: nothing},
		{os: "linux", arch: "s390x", want: "linux/s390x"},
		{os: "linux", arch: "riscv64", want: "linux/riscv64"},
		{os: "linux", arch: "mips64le", want: nothing},
		{os: "darwin", arch: "amd64", want: "darwin/amd64"},
		{os: "darwin", arch: "arm64", want: "darwin/arm64"},
		{os: "windows", arch: "amd64", want: "windows/amd64"},
		{os: "windows", arch: "386", want: nothing},
		{os: "windows", arch: "arm64", want: nothing},
		{os: "freebsd", arch: "amd64", want: "freebsd/amd64"},
		{os: "freebsd", arch: "arm64", want: nothing},
		{os: "openbsd", arch: "amd64", want: nothing},
	} {
		of := v1.Platform{OS: c.os, Architecture: c.arch, Variant: c.variant}
		require.Equal(t, c.want, chosen(t, got.index, of), of)
	}
}

// TestIncompleteIndex shows why push wants all platforms: a 64-bit host gets a
// 32-bit image where the right one is missing.
func TestIncompleteIndex(t *testing.T) {
	without := slices.DeleteFunc(platforms(), func(p platform) bool { return strings.HasSuffix(p.arch, "64") })
	index := pushOnly(t, newRegistry(t).host+"/other/"+pluginName, without...)
	require.Equal(t, "linux/386", chosen(t, index, v1.Platform{OS: "linux", Architecture: "amd64"}))
	require.Equal(t, "linux/armv7", chosen(t, index, v1.Platform{OS: "linux", Architecture: "arm64"}))

	_, err := push(t.Context(), t.TempDir(), newRegistry(t).host+"/"+pluginName, "0.1.0", made.date)
	require.ErrorContains(t, err, "build all platforms first")
}

func TestIndexWithoutThisPlatform(t *testing.T) {
	repo, dir := newRegistry(t).host+"/other/"+pluginName, t.TempDir()
	foreign := platform{"linux", "s390x"}
	if host(t) == foreign {
		foreign = platform{"linux", "ppc64le"}
	}
	pushOnly(t, repo, foreign, platform{"freebsd", "amd64"})
	err := installer.Install(t.Context(), repo+":0", installer.WithDirectory(dir))
	require.ErrorContains(t, err, nothing)
	requireNothing(t, repo, dir)
}

// TestAnyWindows: with a version in the index, only Windows of that version
// would find its image; this host's matcher does not look at versions.
func TestAnyWindows(t *testing.T) {
	require.Empty(t, platform{"windows", "amd64"}.oci().OSVersion)
}
