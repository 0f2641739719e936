package armapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// limiter is the policy that keeps every try within the budget, and corrects the
// budget by Azure's responses.
type limiter struct{ budget *budget.Budget }

// Do implements policy.Policy.
func (l limiter) Do(r *policy.Request) (*http.Response, error) {
	class := classOfRequest(r.Raw())
	if err := l.budget.Take(class); err != nil {
		return nil, err
	}
	response, err := r.Next()
	if response != nil {
		l.budget.Correct(class, response.Header)
		if class == budget.ListByGraph && budget.ByProvider(response.Header) {
			l.budget.Charge(classOf(r.Raw().Method, r.Raw().URL.Path), response.Header)
		}
		if response.StatusCode == http.StatusTooManyRequests {
			l.budget.Block(class, armerr.RetryAfterOf(response.Header), response.Header)
		}
	}
	return response, err
}

func classOfRequest(r *http.Request) budget.Class {
	if asksGraph(r) {
		return budget.ListByGraph
	}
	return classOf(r.Method, r.URL.Path)
}

// classOf names the class of a request: its method and resource types.
func classOf(method, path string) budget.Class {
	_, rest, _ := strings.Cut(strings.ToLower(path), "/providers/")
	segments := strings.Split(strings.Trim(rest, "/"), "/")[1:]
	var types []string
	for n := 0; n < len(segments); n += 2 {
		types = append(types, segments[n])
	}
	class := method + " " + strings.Join(types, "/")
	if len(segments)%2 == 1 {
		class += " list"
	}
	return budget.Class(class)
}

// wrapError turns the error of a call into an *armerr.Error.
func (c *Client) wrapError(op string, err error) error {
	if w, ok := errors.AsType[*budget.WaitError](err); ok {
		return &armerr.Error{Op: op, Object: c.object(), Kind: armerr.Throttled, Message: w.Error(), RetryAfter: w.Wait}
	}
	if v, ok := errors.AsType[*versionError](err); ok {
		return v.typed(op, c.object())
	}
	return armerr.From(op, c.object(), err)
}

// readVirtualMachine is the class of a read of one VM.
const readVirtualMachine budget.Class = "GET virtualmachines"

func (c *Client) listRoom(class budget.Class) vmss.ListRoom {
	return vmss.ListRoom(c.budget.Room(class))
}

// Remaining implements vmss.Client.
func (c *Client) Remaining(call vmss.Call) int {
	switch call {
	case vmss.WriteScaleSet:
		return c.budget.Remaining(budget.WriteScaleSet)
	case vmss.DeleteInstances:
		return c.budget.Remaining(budget.DeleteInstances)
	case vmss.DeallocateInstances:
		return c.budget.Remaining(budget.DeallocateInstances)
	case vmss.StartInstances:
		return c.budget.Remaining(budget.StartInstances)
	case vmss.MarkInstance:
		return c.budget.Remaining(budget.UpdateInstance)
	}
	return c.budget.Remaining(budget.ReadScaleSet)
}
