package armapi

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	suspendedTag = `{"tags":{"fleeting-plugin-azure-suspended":"suspended"}}`
	noTags       = `{"tags":{}}`
	protected    = `{"properties":{"protectionPolicy":{"protectFromScaleIn":true,"protectFromScaleSetActions":false}}}`
	notProtected = `{"properties":{"protectionPolicy":{"protectFromScaleIn":false,"protectFromScaleSetActions":false}}}`
)

var (
	fixedTags  = reply{status: 409, body: `{"error":{"code":"PropertyChangeNotAllowed","message":"Changing property 'tags' is not allowed.","target":"tags"}}`}
	lostTags   = reply{status: 200, body: `{"id":"/x/3","instanceId":"3","properties":{}}`}
	keptTags   = reply{status: 200, body: `{"id":"/x/3","instanceId":"3","tags":{"Fleeting-plugin-azure-suspended":"suspended"}}`}
	tooMany    = reply{status: 400, body: `{"error":{"code":"InvalidTagCount","message":"The number of tags is more than 50."}}`}
	proxysPage = reply{status: 404, body: "<html>no such host</html>"}
)

// marking marks instance 3 time and again.
type marking struct {
	*testing.T
	*Client
	*script
}

func newMarking(t *testing.T, replies ...reply) marking {
	t.Helper()
	c, s := newClient(t, replies...)
	return marking{t, c, s}
}

func (m marking) mark(i vmss.Instance, mark vmss.Mark) error {
	i.InstanceID = "3"
	_, err := uniform{m.Client}.Mark(m.Context(), i, mark)
	return err
}

func (m marking) wrote(bodies ...string) {
	m.Helper()
	require.Len(m, m.bodies, len(bodies))
	for n, body := range bodies {
		assert.JSONEq(m, body, m.bodies[n])
	}
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

// TestMarkByPolicy where an instance takes no tags, or loses them, which is asked once. An
// instance that is protected from actions on the scale set is left out of them.
func TestMarkByPolicy(t *testing.T) {
	for _, answer := range []reply{fixedTags, lostTags} {
		m := newMarking(t, answer, accepted)
		for range 2 {
			require.NoError(t, m.mark(vmss.Instance{}, vmss.Suspended))
		}
		m.wrote(suspendedTag, protected, protected)
		require.NoError(t, m.mark(vmss.Instance{}, vmss.Warm("m1")))
		require.NoError(t, m.mark(vmss.Instance{Mark: vmss.Warm("m1"), ByPolicy: true}, vmss.Unmarked))
		assert.Len(t, m.bodies, 3, "the warm pool's has no mark, and what protects it is somebody else's")
		require.NoError(t, m.mark(vmss.Instance{Mark: vmss.Suspended}, vmss.Unmarked), "no list has shown it yet")
		assert.JSONEq(t, notProtected, m.bodies[3])
	}
	m := newMarking(t, fixedTags)
	require.NoError(t, m.mark(vmss.Instance{}, vmss.Warm("m1")), "it may be the first")
	m = newMarking(t, keptTags)
	require.NoError(t, m.mark(vmss.Instance{}, vmss.Suspended))
	m.wrote(suspendedTag)
}

// TestUnmarkWhereTheMarkIs, whatever the first mark of this process shows.
func TestUnmarkWhereTheMarkIs(t *testing.T) {
	tagged := vmss.Instance{Mark: vmss.Warm("m1"), Tags: map[string]string{"Fleeting-Plugin-Azure-Suspended": "warm-m1"}}
	for _, first := range []reply{fixedTags, keptTags} {
		m := newMarking(t, first, accepted)
		require.NoError(t, m.mark(vmss.Instance{}, vmss.Suspended))
		m.bodies = nil
		require.NoError(t, m.mark(tagged, vmss.Unmarked))
		require.NoError(t, m.mark(vmss.Instance{Mark: vmss.Suspended, ByPolicy: true}, vmss.Unmarked))
		m.wrote(noTags, notProtected)
	}
	m := newMarking(t, accepted)
	require.NoError(t, m.mark(vmss.Instance{Mark: vmss.Warm("m1"), ByPolicy: true}, vmss.Unmarked), "that is behind: it has a tag")
	m.wrote(noTags)
}

// TestTagsAreJudgedOnce: what is refused later is the instance's own, and an error.
func TestTagsAreJudgedOnce(t *testing.T) {
	m := newMarking(t, keptTags, tooMany, tooMany, proxysPage)
	require.NoError(t, m.mark(vmss.Instance{}, vmss.Suspended))
	require.ErrorContains(t, m.mark(vmss.Instance{}, vmss.Suspended), "InvalidTagCount")
	require.Error(t, m.mark(vmss.Instance{Mark: vmss.Suspended}, vmss.Unmarked))
	require.Error(t, m.mark(vmss.Instance{}, vmss.Suspended))
	m.wrote(suspendedTag, suspendedTag, noTags, suspendedTag)

	m = newMarking(t, proxysPage, keptTags)
	assert.Equal(t, armerr.Unknown, armerr.KindOf(m.mark(vmss.Instance{}, vmss.Suspended)))
	require.NoError(t, m.mark(vmss.Instance{}, vmss.Suspended), "it was none of Azure's")
	m.wrote(suspendedTag, suspendedTag)
}

// slow takes a second for each request.
type slow struct{ *script }

func (s slow) Do(r *http.Request) (*http.Response, error) {
	time.Sleep(time.Second)
	return s.script.Do(r)
}

// TestMarksAtATime: one finds out, and the others wait for that alone.
func TestMarksAtATime(t *testing.T) {
	for _, c := range []struct {
		mark  vmss.Mark
		first reply
		want  time.Duration
	}{
		{vmss.Suspended, keptTags, 2 * time.Second}, {vmss.Suspended, fixedTags, 2 * time.Second}, {vmss.Warm("m1"), lostTags, time.Second}, {vmss.Unmarked, accepted, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, s := newClient(t)
			s.replies = []reply{c.first, accepted}
			client, err := New(cfg, Options{Transport: slow{s}, Credential: client.cred})
			require.NoError(t, err)
			m, began := marking{t, client, s}, time.Now()
			var all errgroup.Group
			for range 20 {
				all.Go(func() error { return m.mark(vmss.Instance{}, c.mark) })
			}
			require.NoError(t, all.Wait())
			assert.Equal(t, c.want, time.Since(began))
		})
	}
}

func TestMarkOf(t *testing.T) {
	for body, want := range map[string]struct {
		mark     vmss.Mark
		byPolicy bool
	}{
		`{}`: {},
		`{"tags":{"FLEETING-plugin-azure-suspended":"suspended"}}`:                                                                        {vmss.Suspended, false},
		`{"properties":{"protectionPolicy":{"protectFromScaleIn":true,"protectFromScaleSetActions":true}}}`:                               {vmss.Suspended, true},
		`{"properties":{"protectionPolicy":{"protectFromScaleIn":false}}}`:                                                                {},
		`{"properties":{"protectionPolicy":{"protectFromScaleIn":true},"instanceView":{"statuses":[{"code":"PowerState/running"}]}}}`:     {vmss.Suspended, true},
		`{"properties":{"protectionPolicy":{"protectFromScaleIn":true},"instanceView":{"statuses":[{"code":"PowerState/deallocated"}]}}}`: {vmss.Suspended, true},
	} {
		mark, byPolicy := markOf(decode[machine](t, body))
		assert.Equal(t, want.mark, mark, body)
		assert.Equal(t, want.byPolicy, byPolicy, body)
	}
}
