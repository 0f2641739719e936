package machine_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/machine"
)

func TestScripts(t *testing.T) {
	h := bootOne(t)
	for name, c := range map[string]struct {
		script    string
		args, env []string
		want      machine.Result
	}{
		"streams":     {"echo out; echo err >&2", nil, nil, machine.Result{Stdout: "out\n", Stderr: "err\n"}},
		"lines":       {"a=1\nb=2\necho $((a + b))", nil, nil, machine.Result{Stdout: "3\n"}},
		"exit code":   {"exit 3", nil, nil, machine.Result{ExitCode: 3}},
		"arguments":   {`echo "$2-$1"`, []string{"a b", "c"}, nil, machine.Result{Stdout: "c-a b\n"}},
		"environment": {"echo $GREETING $HOSTNAME", nil, []string{"GREETING=hi"}, machine.Result{Stdout: "hi vm\n"}},
		"interpreter": {"#!/bin/cat\nhello", nil, nil, machine.Result{Stdout: "#!/bin/cat\nhello"}},
		"no input":    {"cat; echo end", nil, nil, machine.Result{Stdout: "end\n"}},
		"much":        {"for n in 1 2 3 4 5 6 7 8 9; do printf '%1000s\n' $n; done", nil, nil, machine.Result{Stdout: lines(4096)}},
	} {
		r, err := h.Run(t.Context(), c.script, c.args, c.env)
		require.NoError(t, err, name)
		assert.True(t, c.want == r, "%s: %+v", name, r)
	}
	left, err := filepath.Glob(filepath.Join(h.Dir(), "tmp", "*"))
	require.NoError(t, err)
	assert.Empty(t, left, "scripts are removed")
	r, err := h.Run(t.Context(), "echo kept > file; pwd", nil, nil)
	require.NoError(t, err)
	assert.Equal(t, h.Dir()+"\n", r.Stdout)
	assert.Equal(t, "kept\n", h.output("cat file"))
}

// lines are the last bytes of what the loop of the test above writes.
func lines(bytes int) string {
	var all strings.Builder
	for n := '1'; n <= '9'; n++ {
		all.WriteString(strings.Repeat(" ", 999) + string(n) + "\n")
	}
	return all.String()[all.Len()-bytes:]
}

// TestScriptsEndWithTheirContext, and the machine goes on.
func TestScriptsEndWithTheirContext(t *testing.T) {
	h := bootOne(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := h.Run(ctx, "echo $$ > started; mv started ready; sleep 1000; echo", nil, nil)
		ended <- err
	}()
	pid := h.output("until test -s ready; do sleep 0.01; done; cat ready")
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	assert.Equal(t, "gone\n", h.output("until ! kill -0 "+strings.TrimSpace(pid)+" 2>/dev/null; do sleep 0.01; done; echo gone"))
}

func TestScriptsEndWithTheMachine(t *testing.T) {
	for name, script := range map[string]string{
		"marked":   "echo $$ > ready; exec sleep 1000",
		"unmarked": "echo $$ > ready; exec env -i sleep 1000",
	} {
		h := bootOne(t)
		done := make(chan error)
		go func() {
			_, err := h.Run(t.Context(), script, nil, nil)
			done <- err
		}()
		h.output("until grep -qs . ready; do sleep 0.01; done")
		h.PowerOff()
		assert.ErrorContains(t, <-done, "the machine is off", name)
		_, err := h.Run(t.Context(), "true", nil, nil)
		assert.ErrorContains(t, err, `run a script on machine "vm": the machine is off`)
	}
}

func TestReimage(t *testing.T) {
	h := bootOne(t)
	hostKey := func() (key ssh.PublicKey) {
		client, err := ssh.Dial("tcp", h.address(0), &ssh.ClientConfig{
			User: h.cfg.User, Auth: []ssh.AuthMethod{ssh.PublicKeys(h.site.signer)},
			HostKeyCallback: func(_ string, _ net.Addr, k ssh.PublicKey) error { key = k; return nil },
		})
		require.NoError(t, err)
		require.NoError(t, client.Close())
		return key
	}
	before := hostKey()
	h.output("echo old > file; mkdir -m 500 locked")
	require.NoError(t, h.Reimage(h.cfg.AuthorizedKeys))
	assert.False(t, h.Running())
	assert.NoFileExists(t, filepath.Join(h.Dir(), "file"))
	info, err := os.Stat(h.Dir())
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	require.NoError(t, h.Boot())
	assert.Equal(t, "tmp\n", h.output("ls"))
	assert.Equal(t, "status: done\n", h.output("cloud-init status"))
	assert.NotEqual(t, before, hostKey())

	other := newSigner(t)
	require.NoError(t, h.Reimage([]string{authorized(other)}))
	require.NoError(t, h.Boot())
	_, err = dial(h.address(0), h.cfg.User, ssh.PublicKeys(h.site.signer))
	require.ErrorContains(t, err, "unable to authenticate")
	client, err := dial(h.address(0), h.cfg.User, ssh.PublicKeys(other))
	require.NoError(t, err)
	require.NoError(t, client.Close())

	assert.ErrorContains(t, h.Reimage([]string{"nonsense"}), "authorized key 1")
	h.Destroy()
	assert.ErrorContains(t, h.Reimage(nil), "destroyed")
	assert.NoDirExists(t, h.Dir())
}
