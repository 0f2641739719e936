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

// Progress implements vmss.Client. The URL was Azure's; it is asked once,
// for who follows an operation asks again anyway.
func (c *Client) Progress(ctx context.Context, o vmss.Operation) (p vmss.Progress, err error) {
	err = c.read(ctx, "follow an operation of", func(ctx context.Context) error {
		ctx = policy.WithRetryOptions(ctx, policy.RetryOptions{MaxRetries: -1})
		r, err := runtime.NewRequest(ctx, http.MethodGet, string(o))
		if err != nil {
			return err
		}
		answer, err := c.generic.Pipeline().Do(r) //nolint:bodyclose // the pipeline has read and closed it
		if err != nil {
			return err
		}
		if !runtime.HasStatusCode(answer, http.StatusOK, http.StatusAccepted) {
			return runtime.NewResponseError(answer)
		}
		p, err = c.progressOf(answer)
		return err
	})
	return p, err
}

// progressOf reads an operation's status, which says Failed inside of an answer
// of status 200. Canceled is Azure's third way to end (the Resource Manager RPC
// contract on asynchronous operations).
func (c *Client) progressOf(answer *http.Response) (vmss.Progress, error) {
	var body struct {
		Status string `json:"status"`
	}
	if err := runtime.UnmarshalAsJSON(answer, &body); err != nil {
		return vmss.Progress{}, err
	}
	switch body.Status {
	case "":
		return vmss.Progress{}, errors.New("the answer holds no status")
	case "Succeeded":
		return vmss.Progress{Ended: true}, nil
	case "Failed", "Canceled":
		failure := armerr.From("change", c.object(), runtime.NewResponseError(answer))
		if e, ok := errors.AsType[*armerr.Error](failure); ok {
			e.Status = 0 // that of the answer, not of the failure
		}
		return vmss.Progress{Ended: true, Failure: failure}, nil
	}
	return vmss.Progress{}, nil
}
