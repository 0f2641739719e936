package main

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func TestRealisticTimes(t *testing.T) {
	t.Parallel()
	usual, err := parse(nil, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, armsim.Duration{Median: 5 * time.Second, Spread: 0.3}, usual.config.Boot)
	assert.Zero(t, usual.config.Suspension)
	o, err := parse([]string{"--power", "3s", "--boot", "realistic", "--delete", "4s"}, io.Discard)
	require.NoError(t, err)
	var want armsim.Config
	want.UseRealisticTimes()
	want.Delete.Median = 4 * time.Second
	for name, times := range map[string][2]armsim.Duration{
		"boot": {want.Boot, o.config.Boot}, "start": {want.Suspension.Start, o.config.Suspension.Start}, "resume": {want.Suspension.Resume, o.config.Suspension.Resume},
		"deallocate": {want.Suspension.Deallocate, o.config.Suspension.Deallocate}, "hibernate": {want.Suspension.Hibernate, o.config.Suspension.Hibernate},
		"power": {want.Power, o.config.Power}, "delete": {want.Delete, o.config.Delete},
	} {
		assert.Equal(t, times[0], times[1], name)
		assert.Positive(t, times[1].Spread, name)
	}
	_, err = parse([]string{"--boot", "soon"}, io.Discard)
	require.ErrorContains(t, err, `"soon"`)
}

func TestStockFlag(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"--stock", "ci-spot=3", "--stock", "ci=0,at-once"}, io.Discard)
	require.NoError(t, err)
	assert.Equal(t, []armsim.Stock{{ScaleSet: "ci-spot", Count: 3}, {ScaleSet: "ci", AtOnce: true}}, o.config.Stock)
	for _, wrong := range []string{"ci", "ci=", "=3", "ci=-1", "ci=3,later"} {
		_, err := parse([]string{"--stock", wrong}, io.Discard)
		require.ErrorContains(t, err, "NAME=COUNT", wrong)
	}
}
