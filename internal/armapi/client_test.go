package armapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

type reply struct {
	status int
	body   string
	err    error
	header http.Header // further ones; nil: a Retry-After of a millisecond
}

// script is a transport that returns replies in turn, the last one repeatedly, and
// records the requests.
type script struct {
	mu       sync.Mutex
	replies  []reply
	requests []*http.Request
	bodies   []string
}

func (s *script) Do(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	s.requests, s.bodies = append(s.requests, r), append(s.bodies, string(body))
	a := s.replies[min(len(s.requests), len(s.replies))-1]
	if a.err != nil {
		return nil, a.err
	}
	header := http.Header{"Content-Type": {"application/json"}, "Etag": {`"h"`}}
	if a.header == nil {
		a.header = http.Header{"Retry-After-Ms": {"1"}}
	}
	maps.Copy(header, a.header)
	return &http.Response{
		StatusCode: a.status, Status: http.StatusText(a.status), Request: r, Body: io.NopCloser(bytes.NewReader([]byte(a.body))), Header: header,
	}, nil
}

var cfg = config.Config{
	Name: "ci", SubscriptionID: "sub", ResourceGroupName: "rg", Cloud: config.Cloud{Name: "AzurePublic"}, Credential: "default",
}

func newClient(t *testing.T, replies ...reply) (*Client, *script) {
	t.Helper()
	s := &script{replies: replies}
	c, err := New(cfg, Options{Transport: s, Credential: azcore.TokenCredential(&fake.TokenCredential{})})
	require.NoError(t, err)
	return c, s
}

func TestRequestsAreThoseInTheTable(t *testing.T) {
	ctx := t.Context()
	calls := map[string]func(*Client) error{
		armops.GetScaleSet:         func(c *Client) error { _, err := c.ScaleSet(ctx); return err },
		armops.UpdateScaleSet:      func(c *Client) error { _, err := c.SetCapacity(ctx, 5, `"7"`); return err },
		armops.DeleteInstances:     func(c *Client) error { _, _, err := uniform{c}.Delete(ctx, []string{"1", "2"}); return err },
		armops.DeallocateInstances: func(c *Client) error { _, err := uniform{c}.Deallocate(ctx, []string{"1", "2"}, false); return err },
		armops.StartInstances:      func(c *Client) error { _, err := flexible{c}.Start(ctx, []string{"1", "2"}); return err },
		armops.UpdateInstance: func(c *Client) error {
			_, err := uniform{c}.Mark(ctx, vmss.Instance{InstanceID: "3"}, vmss.Unmarked)
			return err
		},
		armops.ListInstances:         func(c *Client) error { _, err := uniform{c}.List(ctx, vmss.ListOptions{}); return err },
		armops.GetInstance:           func(c *Client) error { _, err := uniform{c}.Get(ctx, "3"); return err },
		armops.ListInterfaces:        func(c *Client) error { _, err := uniform{c}.Interfaces(ctx); return err },
		armops.ListPublicAddresses:   func(c *Client) error { _, err := uniform{c}.PublicAddresses(ctx); return err },
		armops.ListAutoscaleSettings: func(c *Client) error { _, err := c.AutoscaleSettings(ctx); return err },

		armops.GetOperation: func(c *Client) error {
			_, err := c.Progress(ctx, "https://management.azure.com/subscriptions/sub/providers/Microsoft.Compute/locations/l/operations/o?api-version=2026-04-01")
			return err
		},

		armops.ListVirtualMachines:      func(c *Client) error { _, err := flexible{c}.listWithViews(ctx, pages[vmss.Instance]{}); return err },
		armops.GetVirtualMachine:        func(c *Client) error { _, err := flexible{c}.Get(ctx, "3"); return err },
		armops.DeleteVirtualMachine:     func(c *Client) error { return flexible{c}.deleteVM(ctx, "3") },
		armops.DeallocateVirtualMachine: func(c *Client) error { _, err := flexible{c}.changeOne(ctx, deallocation(true), "3"); return err },
		armops.StartVirtualMachine:      func(c *Client) error { _, err := flexible{c}.changeOne(ctx, start(), "3"); return err },
		armops.UpdateVirtualMachine: func(c *Client) error {
			_, err := flexible{c}.Mark(ctx, vmss.Instance{InstanceID: "3"}, vmss.Suspended)
			return err
		},
		armops.ListGroupInterfaces:      func(c *Client) error { _, err := flexible{c}.Interfaces(ctx); return err },
		armops.ListGroupPublicAddresses: func(c *Client) error { _, err := flexible{c}.PublicAddresses(ctx); return err },
	}
	fill := strings.NewReplacer("{subscription}", "sub", "{group}", "rg", "{scaleSet}", "ci", "{instance}", "3", "{location}", "l", "{operation}", "o")
	for _, o := range armops.All() {
		require.Contains(t, calls, o.Name)
		c, s := newClient(t, reply{status: 200, body: `{"id":"x","status":"Succeeded","value":[],"properties":{"virtualMachineScaleSet":{"id":"` + setID + `"}}}`})
		require.NoError(t, calls[o.Name](c), o.Name)
		require.Len(t, s.requests, 1)
		assert.Equal(t, o.Method, s.requests[0].Method)
		assert.Equal(t, fill.Replace(o.Path), s.requests[0].URL.Path)
		assert.Equal(t, o.APIVersion, s.requests[0].URL.Query().Get("api-version"), o.Name)
		assert.Contains(t, s.requests[0].UserAgent(), "fleeting-plugin-azure")
		if o.Name == armops.ListInstances || o.Name == armops.GetInstance || o.Name == armops.ListVirtualMachines || o.Name == armops.GetVirtualMachine {
			assert.Equal(t, "instanceview", strings.ToLower(s.requests[0].URL.Query().Get("$expand")))
		}
	}
}

func TestSetCapacityIsSentOnce(t *testing.T) {
	for _, bad := range []reply{{status: 500}, {status: 429}, {err: errors.New("reset")}} {
		c, s := newClient(t, bad)
		_, err := c.SetCapacity(t.Context(), 5, `"7"`)
		require.Error(t, err)
		require.Len(t, s.requests, 1)
		assert.JSONEq(t, `{"sku":{"capacity":5}}`, s.bodies[0])
		assert.Equal(t, `"7"`, s.requests[0].Header.Get("If-Match"))
	}
	c, s := newClient(t, reply{status: 200})
	_, err := c.SetCapacity(t.Context(), 0, "")
	require.NoError(t, err)
	assert.JSONEq(t, `{"sku":{"capacity":0}}`, s.bodies[0])
	assert.Empty(t, s.requests[0].Header.Values("If-Match"))
}

// TestInstanceMix: the SKU keeps its name, and has no tier; the sizes are those of the
// profile.
func TestInstanceMix(t *testing.T) {
	c, s := newClient(t, reply{status: 200, body: `{"id":"/x/ci","name":"ci","sku":{"name":"Mix","capacity":4},"properties":{"orchestrationMode":"Flexible","skuProfile":{"vmSizes":[{"name":"Standard_D2ps_v5"},{"name":"Standard_D4ps_v5"}]}}}`})
	set, err := c.ScaleSet(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"Standard_D2ps_v5", "Standard_D4ps_v5"}, set.Sizes)
	_, err = c.SetCapacity(t.Context(), 5, `"7"`)
	require.NoError(t, err)
	assert.JSONEq(t, `{"sku":{"name":"Mix","capacity":5}}`, s.bodies[1])
}

func TestSetPublicKeysIsSentOnce(t *testing.T) {
	for _, r := range []reply{{status: 200}, {status: 429}} {
		c, s := newClient(t, r)
		err := c.SetPublicKeys(t.Context(), []vmss.PublicKey{{Path: "/p", Data: "ssh-rsa AAAA a\r\n"}, {Path: "/p", Data: "ssh-ed25519 AAAA"}}, `"7"`)
		assert.Equal(t, r.status == 200, err == nil)
		require.Len(t, s.requests, 1)
		assert.Equal(t, `"7"`, s.requests[0].Header.Get("If-Match"))
		assert.JSONEq(t, `{"properties":{"virtualMachineProfile":{"osProfile":{"linuxConfiguration":{"ssh":{"publicKeys":[
			{"path":"/p","keyData":"ssh-rsa AAAA a\r\n"},{"path":"/p","keyData":"ssh-ed25519 AAAA"}]}}}}}}`, s.bodies[0])
	}
}

func TestAcceptedIsSuccess(t *testing.T) {
	// The SDK takes a 202 to PATCH for an error, and a 202 with nowhere to poll.
	c, _ := newClient(t, reply{status: 202})
	_, err := c.SetCapacity(t.Context(), 5, "e")
	require.NoError(t, err)
	_, _, err = uniform{c}.Delete(t.Context(), []string{"1"})
	require.NoError(t, err)
}

func TestDeleteInstances(t *testing.T) {
	c, s := newClient(t, reply{status: 500}, reply{status: 202})
	accepted, _, err := uniform{c}.Delete(t.Context(), []string{"1", "2"})
	require.NoError(t, err)
	assert.Equal(t, []string{"1", "2"}, accepted)
	require.Len(t, s.requests, 2)
	assert.JSONEq(t, `{"instanceIds":["1","2"]}`, s.bodies[1])
	_, _, err = uniform{c}.Delete(t.Context(), nil)
	require.NoError(t, err)
	_, _, err = uniform{c}.Delete(t.Context(), []string{"1", "*"})
	require.Error(t, err)
	_, _, err = uniform{c}.Delete(t.Context(), []string{""})
	require.Error(t, err)
	assert.Len(t, s.requests, 2)
}

func TestListsAreCompleteOrErrors(t *testing.T) {
	const next = `"nextLink":"https://management.azure.com:443/more?api-version=1"`
	for name, replies := range map[string][]reply{
		"no list":       {{status: 200, body: `{}`}},
		"gap":           {{status: 200, body: `{"value":[null]}`}},
		"second page":   {{status: 200, body: `{"value":[],` + next + `}`}, {status: 400, body: `{"error":{"code":"InvalidParameter"}}`}},
		"endless":       {{status: 200, body: `{"value":[],` + next + `}`}},
		"elsewhere":     {{status: 200, body: `{"value":[],"nextLink":"https://evil.example/more"}`}},
		"a longer name": {{status: 200, body: `{"value":[],"nextLink":"https://evilmanagement.azure.com/more"}`}, {status: 200, body: `{"value":[]}`}},
		"plain":         {{status: 200, body: `{"value":[],"nextLink":"http://management.azure.com/more"}`}},
	} {
		for _, list := range []func(*Client) error{
			func(c *Client) error { _, err := uniform{c}.List(t.Context(), vmss.ListOptions{}); return err },
			func(c *Client) error { _, err := uniform{c}.Interfaces(t.Context()); return err },
			func(c *Client) error { _, err := uniform{c}.PublicAddresses(t.Context()); return err },
			func(c *Client) error { _, err := c.AutoscaleSettings(t.Context()); return err },
			func(c *Client) error {
				_, err := flexible{c}.listWithViews(t.Context(), pages[vmss.Instance]{})
				return err
			},
			func(c *Client) error { _, err := flexible{c}.listModels(t.Context()); return err },
			func(c *Client) error { _, err := flexible{c}.Interfaces(t.Context()); return err },
			func(c *Client) error { _, err := flexible{c}.PublicAddresses(t.Context()); return err },
		} {
			c, s := newClient(t, replies...)
			err := list(c)
			_, ok := errors.AsType[*armerr.Error](err)
			assert.True(t, ok, name)
			assert.LessOrEqual(t, len(s.requests), 3)
			assert.NotContains(t, s.requests[len(s.requests)-1].URL.Host, "evil")
		}
	}
}

func TestPagesAreJoined(t *testing.T) {
	c, _ := newClient(t,
		reply{status: 200, body: `{"value":[` + vmBody + `],"nextLink":"https://management.azure.com/more"}`},
		reply{status: 200, body: `{"value":[` + vmBody + `,` + vmBody + `]}`})
	all, err := uniform{c}.List(t.Context(), vmss.ListOptions{})
	require.NoError(t, err)
	assert.Len(t, all, 3)
}

func TestAutoscaleSettings(t *testing.T) {
	const id = "/SUBSCRIPTIONS/sub/resourcegroups/rg/providers/microsoft.compute/virtualMachineScaleSets/CI"
	c, _ := newClient(t, reply{status: 200, body: `{"value":[
{"name":"on","properties":{"enabled":true,"targetResourceUri":"` + id + `"}},
{"name":"off","properties":{"enabled":false,"targetResourceUri":"` + id + `"}},
{"name":"other","properties":{"enabled":true,"targetResourceUri":"` + id + `2"}}, {}]}`})
	names, err := c.AutoscaleSettings(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"on"}, names)
}

func TestReads(t *testing.T) {
	c, _ := newClient(t, reply{status: 200, body: `{"id":"x"}`})
	set, err := c.ScaleSet(t.Context())
	require.NoError(t, err)
	assert.Equal(t, `"h"`, set.ETag)
	c, _ = newClient(t, reply{status: 200, body: `{}`})
	_, err = c.ScaleSet(t.Context())
	require.ErrorContains(t, err, `read scale set "ci": response has no "id"`)
	_, err = uniform{c}.Get(t.Context(), "3")
	require.ErrorContains(t, err, `read instance "3" of scale set "ci"`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.ScaleSet(ctx)
	assert.True(t, armerr.Is(err, armerr.Canceled), err)
}

// The mode comes in any case, and a scale set that names none is Uniform.
func TestInstancesFollowTheMode(t *testing.T) {
	for body, want := range map[string]vmss.OrchestrationMode{
		`{"id":"x"}`: vmss.Uniform,
		`{"id":"x","properties":{"orchestrationMode":"uniform"}}`:  vmss.Uniform,
		`{"id":"x","properties":{"orchestrationMode":"flexible"}}`: vmss.Flexible,
		`{"id":"x","properties":{"orchestrationMode":"Flexible"}}`: vmss.Flexible,
	} {
		c, _ := newClient(t, reply{status: 200, body: body})
		set, err := c.ScaleSet(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, set.Mode, body)
		_, ok := c.Instances(set.Mode).(flexible)
		assert.Equal(t, want == vmss.Flexible, ok, body)
	}
}
