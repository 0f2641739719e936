package armapi

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

var fixedTags = reply{status: 409, body: `{"error":{"code":"PropertyChangeNotAllowed","message":"Changing property 'tags' is not allowed.","target":"tags"}}`}

// TestPowerNeverMeetsAll: without IDs, or with a wildcard, Azure takes all instances.
func TestPowerNeverMeetsAll(t *testing.T) {
	for _, ids := range [][]string{nil, {}, {"*"}, {"1", ""}} {
		c, s := newClient(t, accepted)
		for _, i := range []vmss.Instances{uniform{c}, flexible{c}} {
			done, _, err := i.Deallocate(t.Context(), ids, false)
			require.Error(t, err)
			assert.Empty(t, done)
			_, _, err = i.Start(t.Context(), ids)
			require.Error(t, err)
		}
		assert.Empty(t, s.requests)
	}
}

func TestHibernationIsAskedFor(t *testing.T) {
	for _, hibernate := range []bool{false, true} {
		c, s := newClient(t, accepted)
		done, o, err := flexible{c}.Deallocate(t.Context(), []string{"a", "b"}, hibernate)
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b"}, done)
		assert.NotEmpty(t, o)
		assert.JSONEq(t, `{"instanceIds":["a","b"]}`, s.bodies[0])
		assert.Equal(t, hibernate, s.requests[0].URL.Query().Get("hibernate") == "true")
	}
}

// TestFlexiblePowerFallsBackToVMs where the scale set refuses the call.
func TestFlexiblePowerFallsBackToVMs(t *testing.T) {
	c, s := newClient(t, notForMode, accepted, forbidden, accepted)
	done, o, err := flexible{c}.Start(t.Context(), []string{"a", "b", "c"})
	require.ErrorContains(t, err, `start virtual machine "b" of scale set "ci": AuthorizationFailed (403)`)
	assert.Equal(t, []string{"a", "c"}, done)
	assert.Empty(t, o, "there are several operations")
	assert.Equal(t, []string{
		"POST virtualMachineScaleSets/ci/start", "POST virtualMachines/a/start", "POST virtualMachines/b/start", "POST virtualMachines/c/start",
	}, s.requestLines())
	c, _ = newClient(t, forbidden)
	_, _, err = flexible{c}.Start(t.Context(), []string{"a"})
	assert.Equal(t, armerr.Forbidden, armerr.KindOf(err))
}

// TestMark: the other tags of an instance stay, and nothing else is written.
func TestMark(t *testing.T) {
	i := vmss.Instance{InstanceID: "3", Tags: map[string]string{"team": "ci", "Fleeting-Plugin-Azure-Suspended": "old"}}
	for path, mark := range map[string]func(*Client) error{
		"PUT virtualMachineScaleSets/ci/virtualMachines/3": func(c *Client) error { _, err := uniform{c}.Mark(t.Context(), i, vmss.Suspended); return err },
		"PATCH virtualMachines/3":                          func(c *Client) error { _, err := flexible{c}.Mark(t.Context(), i, vmss.Suspended); return err },
	} {
		c, s := newClient(t, accepted)
		require.NoError(t, mark(c))
		assert.Equal(t, []string{path}, s.requestLines())
		assert.JSONEq(t, `{"tags":{"team":"ci","fleeting-plugin-azure-suspended":"suspended"}}`, s.bodies[0])
	}
	c, s := newClient(t, accepted)
	_, err := flexible{c}.Mark(t.Context(), i, vmss.Unmarked)
	require.NoError(t, err)
	assert.JSONEq(t, `{"tags":{"team":"ci"}}`, s.bodies[0])
}

// TestMarkByPolicy where an instance takes no tags, which is asked once.
func TestMarkByPolicy(t *testing.T) {
	c, s := newClient(t, fixedTags, accepted)
	for range 2 {
		_, err := uniform{c}.Mark(t.Context(), vmss.Instance{InstanceID: "3"}, vmss.Suspended)
		require.NoError(t, err)
	}
	require.Len(t, s.bodies, 3)
	for _, body := range s.bodies[1:] {
		assert.JSONEq(t, `{"properties":{"protectionPolicy":{"protectFromScaleIn":true,"protectFromScaleSetActions":true}}}`, body)
	}
	c, s = newClient(t, accepted)
	_, err := uniform{c}.Mark(t.Context(), vmss.Instance{InstanceID: "3", ByPolicy: true}, vmss.Unmarked)
	require.NoError(t, err)
	assert.JSONEq(t, `{"properties":{"protectionPolicy":{"protectFromScaleIn":false,"protectFromScaleSetActions":false}}}`, s.bodies[0])
}

func TestMarkOf(t *testing.T) {
	for body, want := range map[string]struct {
		mark     vmss.Mark
		byPolicy bool
	}{
		`{}`: {},
		`{"tags":{"FLEETING-plugin-azure-suspended":"suspended"}}`:                                           {vmss.Suspended, false},
		`{"properties":{"protectionPolicy":{"protectFromScaleIn":true,"protectFromScaleSetActions":true}}}`:  {vmss.Suspended, true},
		`{"properties":{"protectionPolicy":{"protectFromScaleIn":true,"protectFromScaleSetActions":false}}}`: {},
	} {
		mark, byPolicy := markOf(decode[machine](t, body))
		assert.Equal(t, want.mark, mark, body)
		assert.Equal(t, want.byPolicy, byPolicy, body)
	}
}
