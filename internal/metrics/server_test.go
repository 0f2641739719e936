package metrics

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/instancegroup"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
)

const patience = time.Minute

// logged is a log that a test reads while others write.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var servedAt = regexp.MustCompile(`metrics are served: .*address=(\S+)`)

// address waits until the log names one.
func (l *logged) address(t *testing.T) string {
	t.Helper()
	require.Eventually(t, func() bool { return servedAt.MatchString(l.String()) }, patience, time.Millisecond, "%s", l)
	return servedAt.FindStringSubmatch(l.String())[1]
}

func serve(t *testing.T, m *Metrics, listen string) (*Server, *logged) {
	l := &logged{}
	s := m.Serve(Options{Listen: listen, Retry: time.Millisecond, Logger: hclog.New(&hclog.LoggerOptions{Output: l, Level: hclog.Trace})})
	t.Cleanup(func() { s.Close(context.Background()) })
	return s, l
}

func get(t *testing.T, method, url string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func TestServe(t *testing.T) {
	t.Parallel()
	m := New(identity)
	m.Attach(sources(nil))
	s, log := serve(t, m, "127.0.0.1:0")
	at := "http://" + log.address(t)
	status, text := get(t, "GET", at+Path)
	assert.Equal(t, 200, status)
	assert.Contains(t, text, `fleeting_azure_instances{resource_group="rg",scale_set="ci",state="running"} 3`)
	for _, wrong := range []string{"GET /", "GET /debug/pprof/", "POST " + Path} {
		method, path, _ := strings.Cut(wrong, " ")
		status, text = get(t, method, at+path)
		assert.Contains(t, []int{404, 405}, status, wrong)
		assert.NotContains(t, text, "fleeting_azure", wrong)
	}
	s.Close(t.Context())
	s.Close(t.Context())
	_, err := net.Dial("tcp", log.address(t))
	assert.Error(t, err)
	assert.NotContains(t, log.String(), "no longer served")
}

// The plugin of a runner that was restarted may still have the port.
func TestServeWaitsForThePort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m := New(identity)
	m.Attach(sources(nil))
	s, log := serve(t, m, taken.Addr().String())
	require.Contains(t, log.String(), "metrics cannot be served")
	assert.Contains(t, log.String(), "fix=\"set metrics_listen")
	require.NoError(t, taken.Close())
	status, _ := get(t, "GET", "http://"+log.address(t)+Path)
	assert.Equal(t, 200, status)
	assert.Equal(t, 1, strings.Count(log.String(), "metrics cannot be served"), "once")
	s.Close(t.Context())
}

func TestServeNeverGetsThePort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	s, log := serve(t, New(identity), taken.Addr().String())
	s.Close(t.Context())
	assert.NotContains(t, log.String(), "metrics are served")
}

// A scrape that hangs must not keep the process from ending.
func TestCloseEndsAScrapeThatHangs(t *testing.T) {
	t.Parallel()
	m, asked, end := New(identity), make(chan struct{}), make(chan struct{})
	defer close(end)
	m.Attach(Sources{
		Group:  func() instancegroup.Snapshot { close(asked); <-end; return instancegroup.Snapshot{} },
		Budget: func() map[budget.Class]int { return nil },
	})
	s, log := serve(t, m, "127.0.0.1:0")
	scraped := make(chan error, 1)
	url := "http://" + log.address(t) + Path
	go func() {
		response, err := http.Get(url)
		if err == nil {
			err = response.Body.Close()
		}
		scraped <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Close(ctx)
	assert.Error(t, <-scraped)
}
