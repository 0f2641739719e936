package armapi

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProgress(t *testing.T) {
	for body, want := range map[string]struct {
		ended   bool
		failure string
		err     string
	}{
		`{"status":"InProgress"}`: {},
		`{"status":"Succeeded"}`:  {ended: true},
		`{"status":"Failed","error":{"code":"AllocationFailed","message":"No room."}}`: {ended: true, failure: `change scale set "ci": AllocationFailed: No room`},
		`{"status":"Canceled","error":{"code":"OperationPreempted"}}`:                  {ended: true, failure: "OperationPreempted"},
		`{}`:       {err: `response has no "status"`},
		`<html>`:   {err: "the response does not come from Azure"},
		`{"status`: {err: "follow an operation"},
	} {
		c, _ := newClient(t, reply{status: 200, body: body})
		p, err := c.Progress(t.Context(), "https://management.azure.com/subscriptions/s/providers/Microsoft.Compute/locations/l/operations/o")
		if want.err != "" {
			require.ErrorContains(t, err, want.err, body)
			continue
		}
		require.NoError(t, err, body)
		assert.Equal(t, want.ended, p.Ended, body)
		if want.failure != "" {
			require.ErrorContains(t, p.Failure, want.failure)
			continue
		}
		assert.NoError(t, p.Failure, body)
	}
}
