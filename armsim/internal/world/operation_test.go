package world

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestOldOperationsAreForgotten, but none that runs.
func TestOldOperationsAreForgotten(t *testing.T) {
	os := newOperations(NewClock(true, 1))
	running, first := os.begin(nil, "running"), os.begin(nil, "first")
	os.end(first, nil)
	var last *Operation
	for range 3 * operationLimit {
		last = os.begin(nil, "one more")
		os.end(last, nil)
	}
	assert.Same(t, running, os.Find(running.ID))
	assert.Same(t, last, os.Find(last.ID))
	assert.Nil(t, os.Find(first.ID))
	assert.LessOrEqual(t, len(os.byID), operationLimit)
	assert.Len(t, os.begun, len(os.byID))
}
