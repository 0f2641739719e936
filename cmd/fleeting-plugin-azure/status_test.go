package main

import (
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/metrics"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/terminal"
)

// TestStartsOfTheWarmPool are asked of the plugin that runs.
func TestStartsOfTheWarmPool(t *testing.T) {
	t.Parallel()
	m := metrics.New(metrics.Identity{ResourceGroup: "rg", ScaleSet: "ci"})
	m.Warmed(2)
	var log bytes.Buffer
	s := m.Serve(metrics.Options{Listen: "127.0.0.1:0", Logger: hclog.New(&hclog.LoggerOptions{Output: &log})})
	t.Cleanup(func() { s.Close(t.Context()) })
	_, rest, found := strings.Cut(log.String(), "address=")
	require.True(t, found, log.String())
	listen := config.Listen(strings.Fields(rest)[0])
	cfg := config.Config{Name: "ci", ResourceGroupName: "rg", WarmPoolSize: "4", MetricsListen: listen}

	assert.Equal(t, "the warm pool has served 2 starts\n", startsShown(t, cfg))
	m.WarmStarted(25 * time.Second)
	m.Created(110 * time.Second)
	assert.Equal(t, "the warm pool has served 2 starts, in 25s on average; a new instance takes 1m50s\n", startsShown(t, cfg))

	without := cfg
	without.WarmPoolSize = ""
	assert.Empty(t, startsShown(t, without))
	without = cfg
	without.MetricsListen = ""
	assert.Empty(t, startsShown(t, without))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	without.MetricsListen = config.Listen(l.Addr().String())
	assert.Contains(t, startsShown(t, without), "what the warm pool has served is not known: read the metrics of the plugin")
}

func startsShown(t *testing.T, cfg config.Config) string {
	t.Helper()
	var out bytes.Buffer
	var s shownSet
	s.readStarts(t.Context(), cfg)
	printStarts(terminal.Terminal{Out: &out}, s)
	return out.String()
}
