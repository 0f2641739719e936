//go:build unix

package binary_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

// TestAdviseInterrupted: Ctrl-C, which a terminal sends to the simulations as well, ends the
// search early, with the best so far.
func TestAdviseInterrupted(t *testing.T) {
	t.Parallel()
	s := newShell(t, nil)
	s.env = launch.Environment{"TERM": "xterm"}
	var jobs strings.Builder
	jobs.WriteString("created_at,queued,duration\n")
	for hour := range 12 * 24 {
		for range 8 {
			fmt.Fprintf(&jobs, "%d,0,900\n", hour*3600)
		}
	}
	c := s.startOnTerminal("advise", "--jobs", s.file("jobs.csv", jobs.String()))
	c.await(func() bool { return strings.Contains(c.out.String(), " 6 of ") }) // of the coarse tries
	require.NoError(t, syscall.Kill(-c.command.Process.Pid, syscall.SIGINT))
	assert.Equal(t, 0, c.code(), c.out.String())
	for _, want := range []string{"Take ", "[[runners.autoscaler.policy]]", "interrupted: this is the best of the ", "with the jobs of 7.0 days only"} {
		assert.Contains(t, c.out.String(), want)
	}
}
