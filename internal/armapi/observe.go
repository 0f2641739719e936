package armapi

import (
	"cmp"
	"errors"
	"net/http"
	"slices"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
)

// Observer is told of every try of a request, for metrics. Its methods are called
// concurrently and must return at once.
type Observer interface {
	// Responded is told the operation, otherOperation for none of armops, the
	// class, and the HTTP status, zero where there was no response.
	Responded(operation string, class budget.Class, status int)

	// Withheld is told the class of a request that was not sent, to stay within
	// Azure's limits.
	Withheld(class budget.Class)
}

const otherOperation = "other"

// observed adds the policy that reports to an observer, before all others that see
// each try: it sees what those do not send. Without one it adds nothing.
func observed(o *arm.ClientOptions, observer Observer) *arm.ClientOptions {
	if observer != nil {
		o.PerRetryPolicies = slices.Insert(o.PerRetryPolicies, 0, policy.Policy(observing{observer}))
	}
	return o
}

type observing struct{ observer Observer }

// Do implements policy.Policy.
func (o observing) Do(r *policy.Request) (*http.Response, error) {
	method, path := r.Raw().Method, r.Raw().URL.Path
	response, err := r.Next()
	class := classOfRequest(r.Raw())
	if _, withheld := errors.AsType[*budget.WaitError](err); withheld {
		o.observer.Withheld(class)
		return response, err
	}
	status := 0
	if response != nil {
		status = response.StatusCode
	}
	o.observer.Responded(cmp.Or(armops.Match(method, path), otherOperation), class, status)
	return response, err
}

// Budget returns how many whole calls of each class that Azure limits it would serve
// now; a list may be many requests.
func (c *Client) Budget() map[budget.Class]int {
	left := map[budget.Class]int{}
	for _, class := range budget.Classes() {
		left[class] = c.budget.Remaining(class)
	}
	return left
}
