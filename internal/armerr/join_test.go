package armerr

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSeveralErrorsAreOneLine(t *testing.T) {
	quota := &Error{Op: "ask", Object: `scale set "ci"`, Kind: Quota, Status: 409, Code: "Code409"}
	throttled := &Error{Op: "ask", Object: `scale set "ci"`, Kind: Throttled, Status: 429, Code: "Code429"}
	err := Join(nil, quota, throttled, nil)
	assert.Equal(t, `ask scale set "ci": Code409 (409); ask scale set "ci": Code429 (429)`, err.Error())
	assert.Equal(t, Quota, KindOf(err))
	assert.ErrorIs(t, err, throttled)
	assert.Same(t, quota, Join(nil, quota))
	assert.NoError(t, Join(nil, nil))
	other := errors.New("x")
	assert.EqualError(t, Join(other, other, other, other, other), "x; x; x; and 2 more")
}

func TestIsAbsent(t *testing.T) {
	assert.True(t, IsAbsent(&Error{Status: 404, Kind: Linked}))
	assert.False(t, IsAbsent(&Error{Status: 404, Kind: SubscriptionNotFound}), "nobody knows what is in it")
	assert.False(t, IsAbsent(&Error{Status: 403, Kind: Forbidden}))
	assert.False(t, IsAbsent(nil))
}

func TestIsSystemic(t *testing.T) {
	systemic := map[Kind]bool{Network: true, Throttled: true, Transient: true, Canceled: true}
	for kind := Unknown; kind <= Canceled; kind++ {
		assert.Equal(t, systemic[kind], IsSystemic(&Error{Kind: kind}), kind)
	}
	assert.False(t, IsSystemic(nil))
	assert.False(t, IsSystemic(errors.New("x")))
}
