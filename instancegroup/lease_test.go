package instancegroup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func taggedBy(owner string) vmss.ScaleSet {
	return vmss.ScaleSet{Name: "ci", Tags: map[string]string{leaseTag: owner}}
}

func TestLeaseIsWantedOnce(t *testing.T) {
	l := newLease("")
	assert.False(t, l.isWanted(start), "without an owner there is none")
	l = newLease("me")
	assert.True(t, l.isWanted(start))
	l.backoff.fail(start, nil)
	assert.False(t, l.isWanted(start))
	l.backoff.reset()
	l.acquired = true
	assert.False(t, l.isWanted(start))
}

func TestLeaseIsLostAndComesBack(t *testing.T) {
	l := newLease("me")
	assert.False(t, l.verify(taggedBy("other"), start), "what was never acquired cannot be lost")
	l.acquired = true
	for _, set := range []vmss.ScaleSet{taggedBy("me"), taggedBy(""), {}} {
		assert.False(t, l.verify(set, start))
		require.NoError(t, l.err())
	}
	assert.True(t, l.verify(taggedBy("other"), start))
	assert.False(t, l.verify(taggedBy("other"), start), "it is reported once")
	require.ErrorContains(t, l.err(), `change scale set "ci": another manager has taken it over`)
	assert.True(t, isLeaseLost(l.err()))
	assert.False(t, l.verify(taggedBy("me"), start))
	assert.NoError(t, l.err())
}

func TestLeaseIsCheckedNowAndThen(t *testing.T) {
	l := newLease("me")
	assert.False(t, l.isCheckDue(start, 0))
	l.acquired = true
	l.verify(taggedBy("me"), start)
	assert.False(t, l.isCheckDue(start.Add(time.Minute-1), time.Minute))
	assert.True(t, l.isCheckDue(start.Add(time.Minute), time.Minute))
}
