package report

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browser is the command of a Chromium; without one the test is skipped, or fails where
// REQUIRE_CHROMIUM is set.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "there is no Chromium here, which the page is opened in: apt-get install chromium"
	if os.Getenv("REQUIRE_CHROMIUM") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// show opens an address in a browser with more flags, and returns what its console says.
func show(t *testing.T, address string, flags ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute) // of a busy machine
	defer cancel()
	all := append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--user-data-dir=" + t.TempDir(), "--enable-logging=stderr", "--window-size=1000,1700", "--hide-scrollbars",
	}, flags...)
	var said bytes.Buffer
	c := exec.CommandContext(ctx, browser(t), append(all, address)...)
	c.Stdout, c.Stderr, c.WaitDelay = &said, &said, 10*time.Second
	require.NoError(t, c.Run(), said.String())
	return said.String()
}

// count is how many points of a picture have a colour.
func count(picture image.Image, want color.RGBA) (n int) {
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			r, g, b, _ := picture.At(x, y).RGBA()
			if uint8(r>>8) == want.R && uint8(g>>8) == want.G && uint8(b>>8) == want.B {
				n++
			}
		}
	}
	return n
}

// TestInABrowser opens the page as a person would: on a light screen, on a dark one and on
// paper.
func TestInABrowser(t *testing.T) {
	browser(t)
	text := page(t)
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path)
		if r.URL.Path != "/page" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(text))
	}))
	defer server.Close()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		flag                  string
		ground, before, after color.RGBA
	}{
		"light": {"--blink-settings=preferredColorScheme=1", color.RGBA{0xff, 0xff, 0xff, 0}, color.RGBA{0xb4, 0x53, 0x09, 0}, color.RGBA{0x09, 0x69, 0xda, 0}},
		"dark":  {"--blink-settings=preferredColorScheme=0", color.RGBA{0x0d, 0x11, 0x17, 0}, color.RGBA{0xf0, 0x88, 0x3e, 0}, color.RGBA{0x58, 0xa6, 0xff, 0}},
	} {
		file := filepath.Join(dir, name+".png")
		said := show(t, server.URL+"/page", c.flag, "--screenshot="+file)
		assert.NotContains(t, said, "CONSOLE", name)
		f, err := os.Open(file)
		require.NoError(t, err, said)
		picture, err := png.Decode(f)
		_ = f.Close()
		require.NoError(t, err)
		total := picture.Bounds().Dx() * picture.Bounds().Dy()
		assert.Greater(t, count(picture, c.ground), total/3, "%s: the ground", name)
		assert.Greater(t, count(picture, c.before), 300, "%s: the lines of before", name)
		assert.Greater(t, count(picture, c.after), 300, "%s: the lines of after", name)
	}
	file := filepath.Join(dir, "page.pdf")
	said := show(t, server.URL+"/page", "--print-to-pdf="+file)
	assert.NotContains(t, said, "CONSOLE")
	paper, err := os.ReadFile(file)
	require.NoError(t, err, said)
	assert.True(t, strings.HasPrefix(string(paper), "%PDF"))
	assert.Greater(t, len(paper), 20_000)
	for _, path := range asked {
		assert.Contains(t, []string{"/page", "/favicon.ico"}, path, "the browser itself asks for an icon; the page for nothing")
	}
}
