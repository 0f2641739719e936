package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

func TestMetricsListen(t *testing.T) {
	t.Parallel()
	for written, want := range map[string]string{
		"":               "",
		":9402":          "127.0.0.1:9402",
		"127.0.0.1:0":    "127.0.0.1:0",
		"localhost:9402": "localhost:9402",
		"[::1]:9402":     "[::1]:9402",
		"0.0.0.0:65535":  "0.0.0.0:65535",
	} {
		c, err := config.Parse(with(map[string]any{"metrics_listen": written}), nil)
		require.NoError(t, err, written)
		assert.Equal(t, want, c.MetricsListen.Address(), written)
	}
}

func TestMetricsListenMistakes(t *testing.T) {
	t.Parallel()
	const use = "; use an IP address or localhost, and a port, such as 127.0.0.1:9402, [::1]:9402, or :9402 for that port on 127.0.0.1; port 0 takes a free one, which the log names"
	checkMistakes(t, []mistake{
		{map[string]any{"metrics_listen": "9402"}, `metrics_listen "9402" is not an address and a port` + use},
		{map[string]any{"metrics_listen": "127.0.0.1"}, `metrics_listen "127.0.0.1" is not an address and a port` + use},
		{map[string]any{"metrics_listen": "::1:9402"}, `metrics_listen "::1:9402" is not an address and a port` + use},
		{map[string]any{"metrics_listen": "127.0.0.1:"}, `metrics_listen "127.0.0.1:" has no port from 0 to 65535` + use},
		{map[string]any{"metrics_listen": ":65536"}, `metrics_listen ":65536" has no port from 0 to 65535` + use},
		{map[string]any{"metrics_listen": ":http"}, `metrics_listen ":http" has no port from 0 to 65535` + use},
		{map[string]any{"metrics_listen": "runner.example.com:9402"}, `metrics_listen "runner.example.com:9402" has a host that is not an IP address` + use},
		{map[string]any{"metrics_listen": 9402}, `metrics_listen is a number, expected a string` + use},
	})
}
