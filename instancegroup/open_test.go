package instancegroup

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

func TestOpenRefusesInOneLine(t *testing.T) {
	f := newFake(1)
	f.set.Model.Overprovision, f.set.Model.Upgrade.AutomaticOS, f.set.ProvisioningState = true, true, "Deleting"
	_, err := Open(t.Context(), Options{Client: f, Logger: hclog.NewNullLogger()})
	require.Error(t, err)
	assert.Equal(t, 3, strings.Count(err.Error(), "; fix: "), err)
	assert.NotContains(t, err.Error(), "\n")
	assert.False(t, strings.HasSuffix(err.Error(), ";") || strings.HasSuffix(err.Error(), "."), err)
	assert.Zero(t, f.count(opWrite)+f.count(opDelete), "Open changes nothing")

	f.failNext(opSet, fault{err: azure(armerr.NotFound, 404)})
	_, err = Open(t.Context(), Options{Client: f, Logger: hclog.NewNullLogger()})
	assert.Equal(t, armerr.NotFound, armerr.KindOf(err))
}

func openWithLog(t *testing.T, f *fake) string {
	t.Helper()
	var out bytes.Buffer
	g, err := Open(t.Context(), Options{Client: f, Logger: hclog.New(&hclog.LoggerOptions{Output: &out, Level: hclog.Info})})
	require.NoError(t, err)
	assert.Equal(t, "ci", g.ScaleSet().Name)
	return out.String()
}

// TestOpenWarns has one line for each finding, with the fix.
func TestOpenWarns(t *testing.T) {
	require.Empty(t, openWithLog(t, newFake(0)))
	f := newFake(0)
	f.set.Model.AutomaticRepairs, f.set.Model.Spot.Restore = true, true
	log := openWithLog(t, f)
	assert.Equal(t, 2, strings.Count(log, "[WARN]"), log)
	assert.Equal(t, 2, strings.Count(log, "\n"), log)
	assert.Contains(t, log, "--ids /x/ci --enable-automatic-repairs false")
	assert.Equal(t, 2, strings.Count(log, "fix="))
}

func TestAutoscaleIsWarnedOf(t *testing.T) {
	f := newFake(0)
	f.settled = []string{"cpu-rule"}
	log := openWithLog(t, f)
	assert.Contains(t, log, "[WARN]")
	assert.Contains(t, log, "cpu-rule")
	f.failNext(opAutoscale, fault{err: azure(armerr.Forbidden, 403)})
	log = openWithLog(t, f)
	assert.NotContains(t, log, "[WARN]", "a missing permission to read them is no fault")
	assert.Contains(t, log, "autoscale settings could not be read")
}
