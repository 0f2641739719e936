package armsim_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

const setGet, setPatch, vmList = "VirtualMachineScaleSets_Get", "VirtualMachineScaleSets_Update", "VirtualMachineScaleSetVMs_List"

// hold starts a virtual simulator in process, with a settled scale set "ci".
func hold(t *testing.T, c armsim.Config, capacity int) (*sim, string) {
	t.Helper()
	c.InProcess = true
	s := virtual(t, c)
	return s, s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: capacity, Zones: []string{"1", "2"}})
}

func (s *sim) add(t *testing.T, faults ...armsim.Fault) {
	t.Helper()
	require.NoError(t, s.AddFaults(faults...))
}

// try sends a request whose response may be none, or no JSON.
func (s *sim) try(t *testing.T, method, path, body string) (*http.Response, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.Endpoint+path+"?api-version="+version, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.bearer)
	return s.client.Do(r)
}

func (s *sim) last() armsim.Entry { j := s.Journal(); return j[len(j)-1] }

func TestInjectedErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		injected armsim.ErrorResponse
		code     string
		header   header
		tookOn   bool
	}{
		"before":           {armsim.ErrorResponse{Status: 500}, "InternalServerError", nil, false},
		"after":            {armsim.ErrorResponse{Status: 504, After: true}, "GatewayTimeout", nil, true},
		"throttled":        {armsim.ErrorResponse{Status: 429, RetryAfter: 7}, "OperationNotAllowed", header{"Retry-After": "7"}, false},
		"expired token":    {armsim.ErrorResponse{Status: 401}, "ExpiredAuthenticationToken", nil, false},
		"unavailable, 3 s": {armsim.ErrorResponse{Status: 503, RetryAfter: 3}, "ServiceUnavailable", header{"Retry-After": "3"}, false},
		"a code":           {armsim.ErrorResponse{Status: 409, Code: "AllocationFailed", Message: "none left"}, "AllocationFailed", nil, false},
		"unknown status":   {armsim.ErrorResponse{Status: 418}, "Error", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, set := hold(t, armsim.Config{}, 1)
			s.add(t, armsim.Fault{Name: "it", Operation: setPatch, Times: 1, Effect: armsim.Effect{Error: &c.injected}})
			r := s.setCapacity(t, set, 3)
			assert.Equal(t, c.injected.Status, r.status)
			assert.Equal(t, c.code, r.code())
			if c.injected.Message != "" {
				assert.Equal(t, c.injected.Message, r.message())
			}
			for key, value := range c.header {
				assert.Equal(t, value, r.header.Get(key))
			}
			e := s.last()
			assert.Equal(t, []any{"it", c.injected.Status, c.code}, []any{e.Fault, e.Status, e.Code})
			assert.NotNil(t, e.Body, "the journal shows what was asked for")
			assert.Equal(t, c.tookOn, s.capacity(t, set) == 3)
			assert.Equal(t, http.StatusOK, s.setCapacity(t, set, 4).status, "once only")
		})
	}
}

func TestRawBodies(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{}, 0)
	for body, kind := range map[string]string{`{"value": [`: "application/json; charset=utf-8", "<html>proxy</html>": "text/html"} {
		s.ClearFaults()
		s.add(t, armsim.Fault{Operation: setGet, Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 200, Body: body}}})
		response, err := s.try(t, "GET", set, "")
		require.NoError(t, err)
		raw, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		assert.Equal(t, body, string(raw))
		assert.Equal(t, kind, response.Header.Get("Content-Type"))
	}
}

// TestCuts: over a network and without one.
func TestCuts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inProcess bool
		when      string
		want      int
	}{
		"before": {true, armsim.CutBefore, 1}, "after": {true, armsim.CutAfter, 2},
		"before, network": {false, armsim.CutBefore, 1}, "after, network": {false, armsim.CutAfter, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := virtual(t, armsim.Config{InProcess: c.inProcess})
			set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci", Capacity: 1})
			s.add(t, armsim.Fault{Operation: setPatch, Effect: armsim.Effect{Cut: c.when}})
			_, err := s.try(t, "PATCH", set, `{"sku":{"capacity":2}}`)
			require.Error(t, err)
			if c.inProcess {
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			}
			e := s.last()
			assert.Equal(t, []any{setPatch, 0, c.when, "fault 1"}, []any{e.Operation, e.Status, e.Cut, e.Fault})
			assert.Equal(t, c.want, s.capacity(t, set))
		})
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, set := hold(t, armsim.Config{}, 1)
		s.add(t, armsim.Fault{Operation: setPatch, Effect: armsim.Effect{Delay: armsim.Span(10 * time.Second)}})
		status := 0
		go func() { status = s.setCapacity(t, set, 2).status }()
		synctest.Wait()
		assert.Equal(t, 2, s.Stats().Capacity, "the effect is not late")
		s.Advance(9 * time.Second)
		synctest.Wait()
		assert.Zero(t, status)
		s.Advance(time.Second)
		synctest.Wait()
		assert.Equal(t, http.StatusOK, status)
	})
}

// TestDelayEndsWithTheClient: no response waits for a client that is gone.
func TestDelayEndsWithTheClient(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{}, 1)
	s.add(t, armsim.Fault{Operation: setGet, Effect: armsim.Effect{Delay: armsim.Span(time.Hour)}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.Endpoint+set+"?api-version="+version, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+s.bearer)
	_, err = s.client.Do(r)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// TestCloseEndsDelays: Close waits for requests under way, and cuts them off.
func TestCloseEndsDelays(t *testing.T) {
	t.Parallel()
	for _, inProcess := range []bool{true, false} {
		s := virtual(t, armsim.Config{InProcess: inProcess})
		set := s.scaleSet(t, armsim.ScaleSetSpec{Name: "ci"})
		s.add(t, armsim.Fault{Operation: setGet, Effect: armsim.Effect{Delay: armsim.Span(time.Hour)}})
		failed := make(chan error)
		go func() {
			_, err := s.try(t, "GET", set, "")
			failed <- err
		}()
		require.Eventually(t, func() bool { return s.Faults()[0].Applied > 0 }, 20*time.Second, time.Millisecond)
		s.Close()
		require.Error(t, <-failed)
		_, err := s.try(t, "GET", set, "")
		require.Error(t, err, "it is closed")
	}
}

func TestFailedOperations(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{}, 1)
	s.add(t, armsim.Fault{Operation: setPatch, Times: 1, Effect: armsim.Effect{FailOperation: &armsim.Failure{Code: "InternalExecutionError", Message: "oops"}}})
	r := s.setCapacity(t, set, 2)
	assert.Equal(t, http.StatusOK, r.status)
	s.Advance(settled)
	o := s.operation(t, r)
	assert.Equal(t, []string{"Failed", "InternalExecutionError", "oops"}, []string{o.text("status"), o.code(), o.message()})
	assert.Equal(t, "Failed", s.get(t, set).text("properties.provisioningState"))
	assert.Len(t, s.ids(t, set), 2, "what it started is done")
	r = s.setCapacity(t, set, 3)
	s.Advance(settled)
	assert.Equal(t, "Succeeded", s.status(t, r))
}

func TestStaleReads(t *testing.T) {
	t.Parallel()
	for _, freshETag := range []bool{false, true} {
		s, set := hold(t, armsim.Config{}, 1)
		s.add(t, armsim.Fault{Operation: setGet, Effect: armsim.Effect{Stale: armsim.Span(10 * time.Second), FreshETag: freshETag}})
		before := s.get(t, set)
		s.Advance(time.Second)
		written := s.setCapacity(t, set, 2)
		s.Advance(time.Second)
		stale := s.get(t, set)
		assert.InDelta(t, 1, get(stale.body, "sku.capacity"), 0)
		want := before.header.Get("ETag")
		if freshETag {
			want = written.header.Get("ETag")
		}
		assert.Equal(t, []string{want, want}, []string{stale.header.Get("ETag"), stale.text("etag")})
		s.Advance(9 * time.Second)
		assert.Equal(t, 2, s.capacity(t, set), "no older than that")
	}
}

func TestBentLists(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]struct{ entries, pages int }{
		armsim.ListEmpty: {0, 1}, armsim.ListNoValue: {0, 1}, armsim.ListTruncate: {1, 1}, armsim.ListShuffle: {4, 2},
		armsim.ListRepeat: {6, 2}, armsim.ListOdd: {8, 2}, armsim.ListEmptyLast: {4, 3},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s, set := hold(t, armsim.Config{}, 4)
			s.add(t, armsim.Fault{Effect: armsim.Effect{List: how}})
			entries := s.list(t, set+"/virtualMachines")
			assert.Len(t, entries, want.entries)
			assert.Equal(t, want.pages, s.Faults()[0].Applied)
			_, has := s.get(t, set+"/virtualMachines").body["value"]
			assert.Equal(t, how != armsim.ListNoValue, has)
		})
	}
}

func TestAnEmptyLastPageOfAnEmptyList(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{}, 0)
	s.add(t, armsim.Fault{Operation: vmList, Effect: armsim.Effect{List: armsim.ListEmptyLast}})
	assert.Empty(t, s.list(t, set+"/virtualMachines"))
	assert.Equal(t, 2, s.Faults()[0].Applied)
}

func TestOmissions(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{}, 1)
	s.add(t, armsim.Fault{Effect: armsim.Effect{Omit: []string{"sku", "properties.vmId", "properties.instanceView.statuses.code"}}})
	one := s.list(t, set+"/virtualMachines?api-version="+version+"&$expand=instanceView")[0]
	assert.Nil(t, get(one, "sku"))
	assert.Nil(t, get(one, "properties.vmId"))
	assert.NotNil(t, get(one, "properties.instanceView.statuses.0.level"))
	assert.Nil(t, get(one, "properties.instanceView.statuses.0.code"))
	assert.Nil(t, get(s.get(t, set).body, "sku"))
	s.ClearFaults()
	assert.Equal(t, 1, s.capacity(t, set), "the response lacked it, not the resource")
}

func TestTokenFaults(t *testing.T) {
	t.Parallel()
	s := virtual(t, armsim.Config{InProcess: true})
	s.add(t, armsim.Fault{Operation: "Token", Times: 1, Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 503, RetryAfter: 1}}})
	r := s.form(t, armsim.DefaultTenantID, nil)
	assert.Equal(t, []any{503, "temporarily_unavailable", "1"}, []any{r.status, r.body["error"], r.header.Get("Retry-After")})
	assert.Equal(t, "fault 1", s.last().Fault)
	assert.Equal(t, http.StatusOK, s.form(t, armsim.DefaultTenantID, nil).status)
}

// TestFaultsByCapacity: ten are wanted and five fit, in words of any kind.
func TestFaultsByCapacity(t *testing.T) {
	t.Parallel()
	s, set := hold(t, armsim.Config{}, 2)
	s.add(t, armsim.Fault{CapacityAbove: 5, Effect: armsim.Effect{Error: &armsim.ErrorResponse{Status: 400, Code: "SubnetIsFull", Message: "it is full"}}})
	for _, c := range []struct {
		method, body string
		status       int
		code         string
	}{
		{"PATCH", `{"sku":{"capacity":10}}`, 400, "SubnetIsFull"},
		{"PUT", `{"location":"westeurope","sku":{"name":"Standard_D2s_v5","capacity":6}}`, 400, "SubnetIsFull"},
		{"PATCH", `{"sku":{"capacity":5}}`, 200, ""},
		{"PATCH", `{"tags":{"a":"b"}}`, 200, ""},
		{"PATCH", `{"sku":{"capacity":"10"}}`, 400, "BadRequest"},
		{"PATCH", `{"sku":`, 400, "InvalidRequestContent"},
		{"PATCH", `{"sku":{"capacity":0}}`, 200, ""},
	} {
		r := s.send(t, c.method, set, c.body)
		assert.Equal(t, c.status, r.status, c.body)
		assert.Equal(t, c.code, r.code(), c.body)
	}
	assert.Equal(t, http.StatusOK, s.get(t, set).status)
	assert.Equal(t, 2, s.Faults()[0].Matched)
}
