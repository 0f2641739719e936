package advise

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMeasuredBoot(t *testing.T) {
	t.Parallel()
	const name = "fleeting_azure_instance_creation_duration_seconds"
	boot, count, err := MeasuredBoot([]byte(`# HELP ` + name + ` Time.
` + name + `_bucket{le="30"} 0
` + name + `_bucket{le="60"} 50
` + name + `_bucket{le="120"} 100
` + name + `_bucket{le="+Inf"} 100
` + name + `_sum 7000
` + name + `_count 100
`))
	require.NoError(t, err)
	assert.Equal(t, 100, count)
	assert.Equal(t, time.Minute, boot.Median)
	assert.InDelta(t, 0.52, boot.Spread, 0.01)
	for text, want := range map[string]string{
		"":                               "they have 0 starts of instances",
		name + `_bucket{le="+Inf"} 9`:    "they have 9 starts",
		name + `_bucket{le="x"} 9`:       "is no line of Prometheus's text format",
		name + `_bucket{le="+Inf"} 1000`: "are not above 0",
	} {
		_, _, err := MeasuredBoot([]byte(text))
		assert.ErrorContains(t, err, want, text)
	}
}
