package compat

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
)

// inBothModes runs a test in each orchestration mode.
func inBothModes(t *testing.T, test func(t *testing.T, s *simulator)) {
	t.Parallel()
	for _, mode := range []string{"Uniform", "Flexible"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			test(t, simulate(t, "--orchestration-mode", mode))
		})
	}
}

// known are the states that an older runner knows. A number that it does
// not know reaches it as that number.
var known = []provider.State{provider.StateCreating, provider.StateRunning, provider.StateDeleting, provider.StateDeleted}

// update returns the last state reported of each instance.
func update(t *testing.T, p provider.InstanceGroup) map[string]provider.State {
	t.Helper()
	states := map[string]provider.State{}
	require.NoError(t, p.Update(t.Context(), func(id string, state provider.State) {
		assert.Contains(t, known, state, id)
		states[id] = state
	}))
	return states
}

// running waits until n instances run and there are no others, and returns their
// IDs in order.
func running(t *testing.T, p provider.InstanceGroup, n int) []string {
	t.Helper()
	var states map[string]provider.State
	await(t, func() (bool, any) {
		states = update(t, p)
		for _, state := range states {
			if state != provider.StateRunning {
				return false, states
			}
		}
		return len(states) == n, states
	})
	return slices.Sorted(maps.Keys(states))
}

// TestCalls makes every call that an older runner can make.
func TestCalls(t *testing.T) {
	inBothModes(t, func(t *testing.T, s *simulator) {
		p := s.start(t, nil)
		login := s.login(t)
		info, err := p.Init(t.Context(), hclog.NewNullLogger(), login)
		require.NoError(t, err)
		assert.Equal(t, "azure/"+s.env["AZURE_RESOURCE_GROUP"]+"/ci", info.ID)
		assert.Equal(t, 1000, info.MaxSize)
		assert.NotEmpty(t, info.Version)
		assert.NotEmpty(t, info.BuildInfo)
		assert.Empty(t, update(t, p))

		n, err := p.Increase(t.Context(), 3)
		require.NoError(t, err)
		assert.Equal(t, 3, n)
		ids := running(t, p, 3)
		s.checkConnection(t, p, ids[0], login.ConnectorConfig)

		// What Azure, or somebody else, removes or stops.
		s.outside(t, "delete", ids[0])
		s.outside(t, "deallocate", ids[1])
		await(t, func() (bool, any) {
			states := update(t, p)
			gone := states[ids[0]] == "" || states[ids[0]] == provider.StateDeleted
			return gone && states[ids[1]] != provider.StateRunning && states[ids[2]] == provider.StateRunning, states
		})
		running(t, p, 1)

		done, err := p.Decrease(t.Context(), ids)
		require.NoError(t, err)
		assert.ElementsMatch(t, ids, done, "those that are gone, too")
		running(t, p, 0)
		s.requireEmpty(t)
		require.NoError(t, p.Shutdown(t.Context()))
		_, err = p.Increase(t.Context(), 1)
		require.ErrorContains(t, err, "the plugin is shutting down")
	})
}

// checkConnection: the settings came back whole, completed from the scale set's
// model, and they let an older connector in.
func (s *simulator) checkConnection(t *testing.T, p provider.InstanceGroup, id string, login provider.ConnectorConfig) {
	t.Helper()
	info, err := p.ConnectInfo(t.Context(), id)
	require.NoError(t, err)
	there := s.instances(t)[id]
	login.OS, login.Arch, login.Protocol, login.Username = "linux", "amd64", provider.ProtocolSSH, "azureuser"
	assert.Equal(t, provider.ConnectInfo{ConnectorConfig: login, ID: id, InternalAddr: there.PrivateAddress}, info)

	out, err := s.sh(t, info, "echo $ARMSIM_VM_ID $USER")
	require.NoError(t, err)
	assert.Equal(t, there.VMID+" azureuser\n", out)
	_, err = s.sh(t, info, "exit 7")
	var exit *connector.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 7, exit.ExitCode())
}

// TestSettings: what the user sets goes to the plugin and comes back.
func TestSettings(t *testing.T) {
	t.Parallel()
	s := simulate(t, "--no-machines", "--capacity", "1", "--public-address")
	p := s.start(t, nil)
	login := s.login(t)
	login.OS, login.Arch, login.Protocol = "plan9", "riscv64", provider.ProtocolWinRM
	login.Username, login.Password, login.UseStaticCredentials = "runner", password, true
	_, err := p.Init(t.Context(), hclog.NewNullLogger(), login)
	require.NoError(t, err)
	info, err := p.ConnectInfo(t.Context(), running(t, p, 1)[0])
	require.NoError(t, err)
	assert.Equal(t, login.ConnectorConfig, info.ConnectorConfig)
	assert.NotEmpty(t, info.ExternalAddr)
}

// wire is what gRPC puts before an error of the plugin.
const wire = "rpc error: code = Unknown desc = "

// TestInitErrors: what an older provisioner shows the user is one line, from the
// operation to the fix.
func TestInitErrors(t *testing.T) {
	t.Parallel()
	s := simulate(t, "--no-machines")
	for name, c := range map[string]struct {
		change     func(map[string]any)
		begin, end string
	}{
		"unknown key": {
			func(c map[string]any) { c["resource_group"] = "x" },
			`plugin_config: unknown key "resource_group"; `, `did you mean "resource_group_name"?`,
		},
		"no such scale set": {
			func(c map[string]any) { c["name"] = "nobody" },
			`read scale set "nobody": ResourceNotFound (404)`, "fix: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := s.start(t, c.change)
			_, err := fleet.Init(t.Context(), hclog.NewNullLogger(), p, fleet.WithInstanceGroupSettings(s.login(t)))
			require.ErrorContains(t, err, "instance group init: "+wire+c.begin)
			assert.Contains(t, err.Error(), c.end)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// TestErrors: those of the other calls come whole, too.
func TestErrors(t *testing.T) {
	t.Parallel()
	s := simulate(t, "--no-machines", "--capacity", "1")
	p := s.start(t, nil)
	_, err := p.Increase(t.Context(), 1)
	require.EqualError(t, err, wire+"instance group is used before Init")
	_, err = p.Init(t.Context(), hclog.NewNullLogger(), s.login(t))
	require.NoError(t, err)
	ids := running(t, p, 1)
	_, err = p.ConnectInfo(t.Context(), "ci_99-01234567")
	require.EqualError(t, err, wire+`locate instance "ci_99-01234567": it no longer exists`)

	var response any
	s.control(t, http.MethodPost, "/faults", `[{"operation": "*", "error": {"status": 403}}]`, &response)
	called := false
	require.Error(t, p.Update(t.Context(), func(string, provider.State) { called = true }))
	assert.False(t, called)
	n, increase := p.Increase(t.Context(), 1)
	assert.Zero(t, n)
	done, decrease := p.Decrease(t.Context(), ids)
	assert.Empty(t, done)
	for operation, err := range map[string]error{"increase": increase, "decrease": decrease} {
		require.ErrorContains(t, err, "AuthorizationFailed (403)", operation)
		assert.Contains(t, err.Error(), "; request ", operation)
		assert.Contains(t, err.Error(), "fix: ", operation)
		assert.True(t, strings.HasPrefix(err.Error(), wire), "%s: %v", operation, err)
	}
}
