package arm

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestFullBucketsAreForgotten, and none that has less than a new one.
func TestFullBucketsAreForgotten(t *testing.T) {
	t.Parallel()
	for _, stepped := range []bool{false, true} {
		l := limiter{enforce: true, stepped: stepped, buckets: map[string]*bucket{}}
		lim := []limit{{"AResource", 1, 3, ofResource}}
		now := time.Unix(0, 0)
		for n := range 3 * bucketLimit {
			l.take(lim, fmt.Sprint("operation ", n), 1, now)
			now = now.Add(300 * time.Millisecond)
		}
		assert.LessOrEqual(t, len(l.buckets), 2*bucketLimit)

		for range 3 {
			_, short := l.take(lim, "busy", 1, now)
			assert.Nil(t, short)
		}
		for n := range 2 * bucketLimit {
			l.take(lim, fmt.Sprint("more ", n), 1, now)
		}
		_, short := l.take(lim, "busy", 1, now)
		assert.NotNil(t, short, "it is empty")
	}
}
