package advise

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMeasured(t *testing.T) {
	t.Parallel()
	const name = BootMetric
	boot, count, err := Measured(BootMetric, []byte(`# HELP `+name+` Time.
`+name+`_bucket{le="30"} 0
`+name+`_bucket{le="60"} 50
`+name+`_bucket{le="120"} 100
`+name+`_bucket{le="+Inf"} 100
`+name+`_sum 7000
`+name+`_count 100
`))
	require.NoError(t, err)
	assert.Equal(t, 100, count)
	assert.Equal(t, time.Minute, boot.Median)
	assert.InDelta(t, 0.52, boot.Spread, 0.01)
	for text, want := range map[string]string{
		"":                               "too few starts: fleeting_azure_instance_creation_duration_seconds has 0, and it takes 10",
		name + `_bucket{le="+Inf"} 9`:    "has 9, and",
		name + `_bucket{le="x"} 9`:       "is no line of Prometheus's text format",
		name + `_bucket{le="+Inf"} 1000`: "are not above 0",
	} {
		_, _, err := Measured(BootMetric, []byte(text))
		assert.ErrorContains(t, err, want, text)
	}
}
