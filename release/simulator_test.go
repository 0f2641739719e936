package main

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// simulatorStandIns are files in the places of the simulator's binaries.
func simulatorStandIns(t *testing.T, version string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), version)
	for _, p := range simulatorPlatforms {
		file := filepath.Join(out, p.simulator())
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(p.String()+" "+version), 0o755))
	}
	return out
}

func TestSimulatorImage(t *testing.T) {
	r := newRegistry(t)
	repo := r.host + "/group/" + pluginName
	first, err := pushSimulator(t.Context(), simulatorStandIns(t, "0.1.0"), repo, "0.1.0", made.date)
	require.NoError(t, err)
	again, err := pushSimulator(t.Context(), simulatorStandIns(t, "0.1.0"), repo, "0.1.0", made.date)
	require.NoError(t, err)
	assert.Equal(t, first, again, "the same bytes")
	_, err = pushSimulator(t.Context(), simulatorStandIns(t, "0.2.0"), repo, "0.2.0", made.date)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(first, repo+"/armsim@sha256:"), first)

	for tag, version := range map[string]string{"0.1.0": "0.1.0", "latest": "0.2.0"} {
		ref, err := name.ParseReference(repo + "/armsim:" + tag)
		require.NoError(t, err)
		for _, p := range simulatorPlatforms {
			image, err := remote.Image(ref, remote.WithPlatform(p.oci()))
			require.NoError(t, err)
			config, err := image.ConfigFile()
			require.NoError(t, err)
			assert.Equal(t, simulatorEntrypoint, config.Config.Entrypoint)
			assert.Equal(t, "65532:65532", config.Config.User, "not root")
			layers, err := image.Layers()
			require.NoError(t, err)
			require.Len(t, layers, 1)
			assert.Equal(t, map[string]string{"tmp/": "", "armsim": p.String() + " " + version}, filesIn(t, layers[0].Uncompressed))
		}
	}
}

func filesIn(t *testing.T, open func() (io.ReadCloser, error)) map[string]string {
	t.Helper()
	layer, err := open()
	require.NoError(t, err)
	defer layer.Close()
	files := map[string]string{}
	for r := tar.NewReader(layer); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		files[h.Name] = string(text)
	}
}

func TestSimulatorIsNotPushedIncomplete(t *testing.T) {
	_, err := pushSimulator(t.Context(), t.TempDir(), newRegistry(t).host+"/"+pluginName, "0.1.0", made.date)
	require.ErrorContains(t, err, "image of armsim for linux/amd64")
}
