package armsim_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

// withKeys is a PATCH of a scale set's SSH public keys.
func withKeys(keys ...string) object {
	list := []object{}
	for _, key := range keys {
		list = append(list, object{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": key})
	}
	linux := object{"ssh": object{"publicKeys": list}}
	return object{"properties": object{"virtualMachineProfile": object{"osProfile": object{"linuxConfiguration": linux}}}}
}

// keysOf are the keys in an OS profile.
func keysOf(osProfile any) []string {
	keys := []string{}
	list, _ := get(osProfile, "linuxConfiguration.ssh.publicKeys").([]any)
	for _, key := range list {
		keys = append(keys, get(key, "keyData").(string))
	}
	return keys
}

// TestKeysReachNewInstancesAlone: a PATCH replaces the list whole.
func TestKeysReachNewInstancesAlone(t *testing.T) {
	t.Parallel()
	for _, mode := range modes {
		s := virtual(t, armsim.Config{Polite: true})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", OrchestrationMode: mode, Capacity: 1, PublicKey: firstKey})
		old := s.paths(set)[0]
		etag := s.get(t, set).text("etag")
		r := s.send(t, "PATCH", set, withKeys(secondKey))
		require.Equal(t, http.StatusOK, r.status, r.raw)
		s.Advance(settled)
		assert.Equal(t, []string{secondKey}, keysOf(get(s.get(t, set).body, "properties.virtualMachineProfile.osProfile")))
		assert.NotEqual(t, etag, s.get(t, set).text("etag"))
		s.setCapacity(t, set, 2)
		s.Advance(settled)
		for _, path := range s.paths(set) {
			found, want := s.get(t, path), secondKey
			if path == old {
				want = firstKey
			}
			assert.Equal(t, []string{want}, keysOf(get(found.body, "properties.osProfile")), mode)
			if mode == "Uniform" {
				assert.Equal(t, path != old, get(found.body, "properties.latestModelApplied"))
			}
		}
		s.send(t, "PATCH", set, withKeys(firstKey, secondKey))
		assert.Equal(t, []string{firstKey, secondKey}, keysOf(get(s.get(t, set).body, "properties.virtualMachineProfile.osProfile")))
	}
}

// TestBadKeys: only RSA from 2048 bits on and Ed25519 are taken.
func TestBadKeys(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{})
	set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		key    string
		status int
	}{
		"Ed25519":        {authorized(t, edwards), 200},
		"RSA":            {authorized(t, &long.PublicKey), 200},
		"short RSA":      {authorized(t, &short.PublicKey), 400},
		"ECDSA":          {authorized(t, &curve.PublicKey), 400},
		"wrapped":        {firstKey[:40] + "\n" + firstKey[40:], 400},
		"a private half": {"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", 400},
		"two in one":     {firstKey + "\n" + secondKey, 400},
	} {
		r := s.send(t, "PATCH", set, withKeys(c.key))
		assert.Equal(t, c.status, r.status, name)
		if c.status == http.StatusBadRequest {
			assert.Equal(t, []string{"InvalidParameter", "linuxConfiguration.ssh.publicKeys.keyData"}, []string{r.code(), r.text("error.target")}, name)
		}
	}
}

func authorized(t *testing.T, public any) string {
	t.Helper()
	key, err := ssh.NewPublicKey(public)
	require.NoError(t, err)
	return string(ssh.MarshalAuthorizedKey(key))
}

// TestAutomaticUpgrades: Azure brings running instances up to a new model by itself, which
// restarts them.
func TestAutomaticUpgrades(t *testing.T) {
	t.Parallel()
	for policy, upgraded := range map[string]bool{"Manual": false, "Automatic": true} {
		s := virtual(t, armsim.Config{})
		u := s.suspendable(t, "Uniform", 2, func(model object) {
			model["properties"].(object)["upgradePolicy"] = object{"mode": policy}
		})
		s.send(t, "PUT", u.member(1), protect(true, true))
		s.Advance(settled)
		s.send(t, "PATCH", u.set, withKeys(secondKey))
		state := "Succeeded"
		if upgraded {
			state = "Updating"
		}
		assert.Equal(t, state, s.get(t, u.member(0)).text("properties.provisioningState"), policy)
		s.Advance(settled)
		assert.Equal(t, upgraded, get(s.get(t, u.member(0)).body, "properties.latestModelApplied"), policy)
		assert.Equal(t, false, get(s.get(t, u.member(1)).body, "properties.latestModelApplied"), "it is protected")
	}
}
