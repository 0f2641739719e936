package azhttp

import (
	"fmt"
	"net/http"
)

// Problem is an error response in Azure's shape: {"error":{code,message,…}}.
type Problem struct {
	Status  int
	Code    string
	Message string
	Target  string
	Details []Problem
	Header  http.Header
}

func (p *Problem) Error() string { return p.Code + ": " + p.Message }

// Response is the problem as a response.
func (p *Problem) Response() *Response {
	return &Response{Status: p.Status, Body: object{"error": p.Object()}, Header: p.Header, Code: p.Code}
}

// Object is the problem as it stands within bodies.
func (p *Problem) Object() map[string]any {
	o := ErrorObject(p.Code, p.Message)
	if p.Target != "" {
		o["target"] = p.Target
	}
	if p.Details != nil {
		list := make([]any, 0, len(p.Details))
		for i := range p.Details {
			list = append(list, p.Details[i].Object())
		}
		o["details"] = list
	}
	return o
}

// ErrorObject is an error as Azure writes it in bodies.
func ErrorObject(code, message string) map[string]any {
	return object{"code": code, "message": message}
}

// NewProblem makes a problem with a formatted message.
func NewProblem(status int, code, format string, args ...any) *Problem {
	return &Problem{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// At names what the problem is about.
func (p *Problem) At(target string) *Problem {
	p.Target = target
	return p
}

// Unauthorized is a 401. Its header is the front's to add: it names the authority.
func Unauthorized(code, format string, args ...any) *Problem {
	return NewProblem(http.StatusUnauthorized, code, format, args...)
}

// Throttled carries the code of a quota error; only the status and the detail
// differ (Microsoft's troubleshooting-throttling-errors page).
// retryAfter is in seconds.
func Throttled(policy string, retryAfter int) *Problem {
	p := NewProblem(http.StatusTooManyRequests, "OperationNotAllowed",
		"The server rejected the request because too many requests have been received for this subscription.")
	p.Details = []Problem{{Code: "TooManyRequests", Target: policy,
		Message: fmt.Sprintf(`{"operationGroup":"%s","retryAfterSeconds":%d}`, policy, retryAfter)}}
	p.Header = http.Header{"Retry-After": {fmt.Sprint(retryAfter)}}
	return p
}

// CodeThrottledByARM is the code of Resource Manager's own 429.
const CodeThrottledByARM = "SubscriptionRequestsThrottled"

// ThrottledByARM is a 429 of Resource Manager itself, not of a provider, with the
// words of a reported one (velero-io/velero#9171). kind is read, write or delete;
// those of a write and a delete are believed. retryAfter is in seconds.
func ThrottledByARM(kind, subscription, client string, retryAfter int) *Problem {
	p := NewProblem(http.StatusTooManyRequests, CodeThrottledByARM,
		"Number of '%s' requests for subscription '%s' actor '%s' exceeded. Please try again after '%d' seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information.",
		kind, subscription, client, retryAfter)
	p.Header = http.Header{"Retry-After": {fmt.Sprint(retryAfter)}}
	return p
}
