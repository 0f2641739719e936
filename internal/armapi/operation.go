package armapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// Progress implements vmss.Client. The URL is the one that Azure returned. There
// are no retries: the caller polls anyway.
func (c *Client) Progress(ctx context.Context, o vmss.Operation) (p vmss.Progress, err error) {
	err = c.read(ctx, "follow an operation of", func(ctx context.Context) error {
		ctx = policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: -1})
		r, err := runtime.NewRequest(ctx, http.MethodGet, string(o))
		if err != nil {
			return err
		}
		response, err := c.send(r, http.StatusOK, http.StatusAccepted) //nolint:bodyclose // the pipeline has read and closed it
		if err != nil {
			return err
		}
		p, err = c.progressOf(response)
		return err
	})
	return p, err
}

// progressOf reads an operation's status: Failed comes in a response of status 200,
// and Canceled is the third terminal state (the Resource Manager RPC contract on
// asynchronous operations).
func (c *Client) progressOf(response *http.Response) (vmss.Progress, error) {
	var body struct {
		Status string `json:"status"`
	}
	if err := runtime.UnmarshalAsJSON(response, &body); err != nil {
		return vmss.Progress{}, err
	}
	switch body.Status {
	case "":
		return vmss.Progress{}, errors.New(`response has no "status"`)
	case "Succeeded":
		return vmss.Progress{Ended: true}, nil
	case "Failed", "Canceled":
		failure := armerr.From("change", c.object(), runtime.NewResponseError(response))
		if e, ok := errors.AsType[*armerr.Error](failure); ok {
			e.Status = 0 // that of the response, not of the failure
		}
		return vmss.Progress{Ended: true, Failure: failure}, nil
	}
	return vmss.Progress{}, nil
}
