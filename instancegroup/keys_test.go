package instancegroup

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

var ownKey = vmss.PublicKey{Path: "/p", Data: "ssh-ed25519 OWN"}

// addOwnKey wants ownKey among the keys.
func addOwnKey(l vmss.Login) ([]vmss.PublicKey, bool, error) {
	for _, key := range l.PublicKeys {
		if key == ownKey {
			return l.PublicKeys, false, nil
		}
	}
	return append(append([]vmss.PublicKey{}, l.PublicKeys...), ownKey), true, nil
}

// TestKeyGoesBeforeTheFirstIncrease: opening writes nothing, the first increase writes
// the key and leaves its demand to the next, and later ones read no more than before.
func TestKeyGoesBeforeTheFirstIncrease(t *testing.T) {
	f := newFake(1)
	g, _ := f.openWith(t, Options{SSHKeys: addOwnKey})
	assert.Zero(t, f.count(opKeys))
	accepted, err := g.Increase(t.Context(), 3)
	require.NoError(t, err)
	assert.Zero(t, accepted)
	assert.Equal(t, 1, f.count(opKeys))
	assert.Empty(t, f.writes)
	assert.Equal(t, []vmss.PublicKey{{Data: "ssh-ed25519 AAAA"}, ownKey}, f.set.Model.Login.PublicKeys)

	for range 2 {
		reads := f.count(opSet)
		accepted, err = g.Increase(t.Context(), 3)
		require.NoError(t, err)
		assert.Equal(t, 3, accepted)
		assert.Equal(t, reads+1, f.count(opSet))
	}
	assert.Equal(t, 1, f.count(opKeys))

	f.change(func() { f.set.Model.Login.PublicKeys = nil }) // as terraform apply does
	accepted, err = g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Zero(t, accepted)
	assert.Equal(t, []vmss.PublicKey{ownKey}, f.set.Model.Login.PublicKeys)
}

// TestKeyWriteIsAwaited for as long as Azure updates the scale set, but not for ever.
func TestKeyWriteIsAwaited(t *testing.T) {
	f := newFake(1)
	g, clock := f.openWith(t, Options{SSHKeys: addOwnKey})
	_, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	f.change(func() { f.set.ProvisioningState = "Updating" })
	for passed := range 2 {
		accepted, err := g.Increase(t.Context(), 1)
		require.NoError(t, err)
		assert.Equal(t, passed, accepted)
		clock.pass(modelUpdateTime)
	}
}

// TestKeyWriteLosesARace against another manager, whose key is kept.
func TestKeyWriteLosesARace(t *testing.T) {
	f := newFake(1)
	g, _ := f.openWith(t, Options{SSHKeys: addOwnKey})
	other := vmss.PublicKey{Path: "/p", Data: "ssh-ed25519 OTHER"}
	f.enter = func(op string, call int) {
		if op == opKeys && call == 1 {
			f.change(func() { f.set.Model.Login.PublicKeys = []vmss.PublicKey{other} })
		}
	}
	_, err := g.Increase(t.Context(), 1)
	require.NoError(t, err)
	assert.Equal(t, []vmss.PublicKey{other, ownKey}, f.set.Model.Login.PublicKeys)
	assert.Equal(t, 2, f.count(opKeys))
}

func TestKeyWriteLosesTheResponse(t *testing.T) {
	for _, took := range []bool{false, true} {
		f := newFake(1)
		g, clock := f.openWith(t, Options{SSHKeys: addOwnKey})
		f.failNext(opKeys, fault{azure(armerr.Network, 0), took})
		_, err := g.Increase(t.Context(), 1)
		require.Error(t, err)
		for accepted := 0; accepted == 0; {
			clock.pass(time.Minute)
			accepted, err = g.Increase(t.Context(), 1)
			require.NoError(t, err)
		}
		assert.Equal(t, map[bool]int{false: 2, true: 1}[took], f.count(opKeys))
	}
}

// TestKeyIsRefused: it is told once with the fix, and not taken for a refusal of the
// increase's size.
func TestKeyIsRefused(t *testing.T) {
	f := newFake(1)
	g, clock := f.openWith(t, Options{SSHKeys: addOwnKey})
	f.failNext(opKeys, fault{err: azure(armerr.Invalid, 400)}, fault{err: azure(armerr.Invalid, 400)}, fault{err: azure(armerr.Forbidden, 403)})
	accepted, err := g.Increase(t.Context(), 8)
	assert.Zero(t, accepted)
	require.ErrorContains(t, err, `increase scale set "ci": `)
	require.ErrorContains(t, err, "Code400")
	require.ErrorContains(t, err, "fix: Azure does not let the SSH public keys of this scale set be changed")
	assert.NotContains(t, err.Error(), "\n")
	assert.Equal(t, 1, f.count(opKeys))
	for range 2 {
		clock.pass(time.Hour)
		_, err = g.Increase(t.Context(), 8)
		require.NoError(t, err, "one error in an episode")
	}
	assert.Empty(t, f.writes)
}

func TestKeyThatCannotBeMade(t *testing.T) {
	f := newFake(1)
	g, _ := f.openWith(t, Options{SSHKeys: func(vmss.Login) ([]vmss.PublicKey, bool, error) {
		return nil, false, errors.New("the disk is full; fix: x")
	}})
	_, err := g.Increase(t.Context(), 1)
	require.ErrorContains(t, err, "the disk is full; fix: x")
	assert.Zero(t, f.count(opKeys)+f.count(opWrite))
}

// TestKeysOutliveAResponseWithoutThem: not each list holds the models.
func TestKeysOutliveAResponseWithoutThem(t *testing.T) {
	f := newFake(1)
	f.vm(0, func(i *vmss.Instance) { i.SSHKeys = []vmss.KeyID{7} })
	g, clock := f.open(t)
	for _, keys := range [][]vmss.KeyID{{7}, nil} {
		f.vm(0, func(i *vmss.Instance) { i.SSHKeys = keys })
		clock.pass(time.Hour)
		v, err := g.Refresh(t.Context())
		require.NoError(t, err)
		assert.Equal(t, []vmss.KeyID{7}, v.Members[0].SSHKeys)
	}
}
