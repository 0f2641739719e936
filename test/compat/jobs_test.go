package compat

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gitlab.com/gitlab-org/fleeting/fleeting/connector"
	"gitlab.com/gitlab-org/fleeting/fleeting/provider"
	"gitlab.com/gitlab-org/fleeting/taskscaler"
)

// TestJobs: an older scaler gives each job an instance of its own, after the
// heartbeat that runners since 17.9 can send, and takes all away in the end.
func TestJobs(t *testing.T) {
	inBothModes(t, func(t *testing.T, s *simulator) {
		p := s.start(t, nil)
		var beats atomic.Int32
		heartbeat := func(ctx context.Context, info provider.ConnectInfo) error {
			beats.Add(1)
			return connector.Run(ctx, s.dial(info), connector.ConnectorOptions{RunOptions: connector.RunOptions{Command: "exit 0"}})
		}
		scaler, err := taskscaler.New(t.Context(), p, taskscaler.WithLogger(hclog.New(&hclog.LoggerOptions{Output: log})),
			taskscaler.WithCapacityPerInstance(1), taskscaler.WithMaxUseCount(1), taskscaler.WithMaxInstances(2),
			taskscaler.WithAcquireDelay(tick), taskscaler.WithUpdateInterval(tick), taskscaler.WithUpdateIntervalWhenExpecting(tick),
			taskscaler.WithInstanceGroupSettings(s.login(t)), taskscaler.WithHeartbeatFunc(heartbeat))
		require.NoError(t, err)
		require.NoError(t, scaler.ConfigureSchedule(taskscaler.Schedule{IdleCount: 1, IdleTime: time.Minute}))
		used := map[string]bool{}
		for n := range 3 {
			id, out := s.job(t, scaler, fmt.Sprint("job-", n))
			assert.False(t, used[id], "an instance is used once")
			used[id] = true
			assert.Contains(t, id, out[:8])
		}
		assert.GreaterOrEqual(t, beats.Load(), int32(3))
		require.NoError(t, scaler.ConfigureSchedule(taskscaler.Schedule{IdleTime: time.Nanosecond}))
		s.requireEmpty(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		scaler.Shutdown(ctx)
	})
}

// job runs one, and returns the instance's ID and the vmId that it printed there.
func (s *simulator) job(t *testing.T, scaler taskscaler.Taskscaler, key string) (id, vmID string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	acquired, err := scaler.Acquire(ctx, key)
	require.NoError(t, err)
	defer scaler.Release(key)
	info, err := acquired.InstanceConnectInfo(ctx)
	require.NoError(t, err)
	out, err := s.sh(t, info, "test ! -e used && touch used && echo $ARMSIM_VM_ID")
	require.NoError(t, err)
	return acquired.InstanceID(), out
}
