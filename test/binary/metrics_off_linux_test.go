package binary_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// listening are the TCP sockets on which the process of a plugin listens, as
// /proc/net has them (proc_net_tcp(5): the state is the fourth column, 0A is listening,
// the inode the tenth).
func listening(t *testing.T, p *launch.Plugin) (sockets []string) {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(p.Dir, "pid"))
	require.NoError(t, err)
	process := filepath.Join("/proc", strings.TrimSpace(string(pid)))
	own := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(process, "fd", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		target, _ := os.Readlink(file) // it may be closed by now
		own[target] = true
	}
	for _, table := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(filepath.Join(process, "net", table)) // IPv6 may be off
		for _, line := range strings.Split(string(text), "\n") {
			fields := strings.Fields(line)
			if len(fields) > 9 && fields[3] == "0A" && own["socket:["+fields[9]+"]"] {
				sockets = append(sockets, fields[1])
			}
		}
	}
	return sockets
}

// TestMetricsAreOff: nobody listens who was not asked to.
func TestMetricsAreOff(t *testing.T) {
	t.Parallel()
	s := launch.Simulator(t, armsim.Config{NoMachines: true}, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
	p := launch.Open(t, s)
	p.AwaitRunning(t, 1)
	assert.NotContains(t, p.Log.String(), "metrics")
	assert.Empty(t, listening(t, p))

	config := launch.ConfigFor(s, "ci")
	config["metrics_listen"] = ":0"
	p = launch.Start(t, launch.EnvironmentOf(s), config)
	p.Open(t)
	scrape(t, p)
	assert.Len(t, listening(t, p), 1)
}
