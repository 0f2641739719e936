package compat

import (
	"context"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	fleet "gitlab.com/gitlab-org/fleeting/fleeting"
)

// TestProvisioner: an older provisioner asks for instances, sees them come and
// one of them vanish, and removes the others. It does so with suspension configured as it
// does without.
func TestProvisioner(t *testing.T) {
	inBothModes(t, func(t *testing.T, s *simulator) {
		p := s.start(t, func(config map[string]any) { config["suspend_mode"] = "deallocate" }) // of which it knows nothing
		provisioner, err := fleet.Init(t.Context(), hclog.New(&hclog.LoggerOptions{Output: log, Name: t.Name()}), p,
			fleet.WithInstanceGroupSettings(s.login(t)), fleet.WithMaxSize(4),
			fleet.WithUpdateInterval(tick), fleet.WithUpdateIntervalWhenExpecting(tick))
		require.NoError(t, err)
		fleetOf := func(n int) []fleet.Instance {
			t.Helper()
			await(t, func() (bool, any) {
				c := provisioner.Capacity()
				return c.Running == n && c.Requested+c.Creating+c.Deleting == 0 && len(provisioner.Instances()) == n, log
			})
			return provisioner.Instances()
		}
		provisioner.Request(3)
		all := fleetOf(3)
		for _, i := range all {
			assert.Equal(t, fleet.CauseRequested, i.Cause())
		}
		s.outside(t, "delete", all[0].ID())
		for _, i := range fleetOf(2) {
			assert.NotEqual(t, all[0].ID(), i.ID())
			i.Delete()
		}
		fleetOf(0)
		s.requireEmpty(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		provisioner.Shutdown(ctx)
		for line := range strings.Lines(log.String()) {
			assert.False(t, strings.Contains(line, t.Name()) && strings.Contains(line, "missed_updates"), "it was not reported: %s", line)
		}
	})
}
