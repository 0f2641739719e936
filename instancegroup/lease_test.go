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
	assert.Equal(t, leaseKept, l.verify(taggedBy("other"), start), "what was never acquired cannot be lost")
	l.acquired = true
	for _, set := range []vmss.ScaleSet{taggedBy("me"), taggedBy(""), {}} {
		assert.Equal(t, leaseKept, l.verify(set, start))
		require.NoError(t, l.err())
	}
	assert.Equal(t, leaseLost, l.verify(taggedBy("other"), start))
	assert.Equal(t, leaseKept, l.verify(taggedBy("other"), start), "it is reported once")
	require.ErrorContains(t, l.err(), `change scale set "ci": another manager has taken it over`)
	assert.True(t, isLeaseLost(l.err()))
	assert.Equal(t, leaseKept, l.verify(taggedBy("me"), start))
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

// A tag that infrastructure as code writes back is that of an older manager.
func TestLeaseIsTakenBackFromAnOlderManager(t *testing.T) {
	const older, me, newer = "a process 1 since 2026-11-25T08:00:00Z", "b process 1 since 2026-11-25T09:00:00Z", "a process 2 since 2026-11-25T10:00:00Z"
	for _, c := range []struct {
		owner, other string
		want         leaseEvent
	}{
		{me, older, leaseReverted},
		{me, newer, leaseLost},
		{me, "somebody", leaseLost},
		{me, "somebody since long ago", leaseLost},
		{"me", older, leaseLost}, // without a time in its own name it cannot tell
	} {
		l := newLease(c.owner)
		l.acquired = true
		assert.Equal(t, c.want, l.verify(taggedBy(c.other), start), c.other)
		assert.Equal(t, c.want == leaseReverted, l.isWanted(start))
		assert.Equal(t, c.want == leaseLost, l.err() != nil)
	}
}

func TestLostLeaseHidesNewInstances(t *testing.T) {
	l := newLease("me")
	v := &View{Members: []Member{member("a", Running, nil), member("b", Running, nil)}, Gone: []string{"c"}}
	assert.Same(t, v, l.visible(v))
	l.acquired = true
	l.verify(taggedBy("other"), start)
	l.known = map[string]bool{"a": true}
	own := l.visible(v)
	require.Len(t, own.Members, 1)
	assert.Equal(t, "a", own.Members[0].MemberID)
	assert.Equal(t, []string{"c"}, own.Gone)
	assert.Len(t, v.Members, 2)
}
