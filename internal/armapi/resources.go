package armapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/config"
)

// Resources reads and writes whatever the operator's tools need, each by an operation of
// armops, which knows its method, API version and permission: the tools, the role that
// they write and what they check cannot drift apart. It is safe for concurrent use.
type Resources struct {
	endpoint string
	client   *arm.Client
	cred     azcore.TokenCredential
	audience string
}

// How often a long-running operation is polled that names no time itself: ever less, as
// most of a network is there at once, and a scale set's operation takes 15 polls a minute.
const (
	firstPoll = 100 * time.Millisecond
	pollEvery = 6 * time.Second
)

// NewResources returns a client for the cloud and the credential in cfg. It sends nothing.
func NewResources(cfg config.Config, opts Options) (*Resources, error) {
	if opts.Getenv == nil {
		opts.Getenv = os.Getenv
	}
	base := policy.ClientOptions{Cloud: cloudOf(cfg.Cloud), Transport: opts.Transport, Telemetry: policy.TelemetryOptions{ApplicationID: applicationID}}
	cred := opts.Credential
	if cred == nil {
		var err error
		if cred, err = newCredential(cfg, base, opts.Getenv); err != nil {
			return nil, err
		}
	}
	base.Retry = policy.RetryOptions{MaxRetries: 3, TryTimeout: tryTimeout, MaxRetryDelay: maxRetryDelay}
	base.PerCallPolicies = []policy.Policy{sameHostPolicy{endpoint(base.Cloud)}}
	o := observed(&arm.ClientOptions{ClientOptions: base, DisableRPRegistration: true}, opts.Observer)
	client, err := arm.NewClient(moduleName, moduleVersion, cred, o)
	if err != nil {
		return nil, armerr.From("set up a client for", endpoint(base.Cloud), err)
	}
	return &Resources{endpoint: endpoint(base.Cloud), client: client, cred: cred, audience: audience(base)}, nil
}

// Token signs in, and returns the access token and when it expires.
func (r *Resources) Token(ctx context.Context) (token string, expires time.Time, err error) {
	t, err := r.cred.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{r.audience + "/.default"}})
	return t.Token, t.ExpiresOn, armerr.From("sign in at", "Azure", err)
}

func audience(base policy.ClientOptions) string {
	return strings.TrimRight(base.Cloud.Services["resourceManager"].Audience, "/")
}

// Get reads the resource of an ID into out.
func (r *Resources) Get(ctx context.Context, operation, id string, query url.Values, out any) error {
	return r.do(ctx, operation, id, query, nil, out)
}

// Exists reports whether there is a resource of that ID: by HEAD or GET, as the operation
// is.
func (r *Resources) Exists(ctx context.Context, operation, id string) (bool, error) {
	return r.Find(ctx, operation, id, nil)
}

// Find reads the resource of an ID into out, which may be nil, if there is one.
func (r *Resources) Find(ctx context.Context, operation, id string, out any) (bool, error) {
	err := r.do(ctx, operation, id, nil, nil, out)
	if isAbsent(err) {
		return false, nil
	}
	return err == nil, err
}

// isAbsent reports whether Azure says that the resource, or what it would be in, is not
// there. Of a provider that is not registered there is nothing.
func isAbsent(err error) bool {
	e, ok := errors.AsType[*armerr.Error](err)
	return ok && (e.Status == http.StatusNotFound || e.Code == "MissingSubscriptionRegistration")
}

// Write sends body, which may be nil, waits for the operation to end, and decodes the
// result into out, which may be nil.
func (r *Resources) Write(ctx context.Context, operation, id string, body, out any) error {
	return r.do(ctx, operation, id, nil, body, out)
}

// Each reads a list, all of its pages, and calls f with each element.
func (r *Resources) Each(ctx context.Context, operation, id string, query url.Values, f func(json.RawMessage) error) error {
	var page struct {
		Value    []json.RawMessage `json:"value"`
		NextLink string            `json:"nextLink"`
	}
	next := r.address(operation, id, query)
	for next != "" {
		page.Value, page.NextLink = nil, ""
		if err := r.send(ctx, operation, id, next, nil, &page); err != nil {
			return err
		}
		for _, element := range page.Value {
			if err := f(element); err != nil {
				return err
			}
		}
		next = page.NextLink
	}
	return nil
}

func (r *Resources) do(ctx context.Context, operation, id string, query url.Values, body, out any) error {
	return r.send(ctx, operation, id, r.address(operation, id, query), body, out)
}

// address is the URL of an operation on a resource.
func (r *Resources) address(operation, id string, query url.Values) string {
	all := url.Values{"api-version": {armops.ByName(operation).APIVersion}}
	for key, values := range query {
		all[key] = values
	}
	return strings.TrimRight(r.endpoint, "/") + "/" + strings.TrimLeft(id, "/") + "?" + all.Encode()
}

func (r *Resources) send(ctx context.Context, operation, id, address string, body, out any) error {
	o := armops.ByName(operation)
	if o.Name == "" || armops.Match(o.Method, id) != operation {
		return fmt.Errorf("%s is no operation on %s", operation, id)
	}
	op, object := verbs[o.Method], Title(id)
	request, err := runtime.NewRequest(ctx, o.Method, address)
	if err != nil {
		return armerr.From(op, object, err)
	}
	if body != nil {
		if err := runtime.MarshalAsJSON(request, body); err != nil {
			return armerr.From(op, object, err)
		}
	}
	response, err := r.client.Pipeline().Do(request)
	if err != nil {
		return armerr.From(op, object, err)
	}
	if !runtime.HasStatusCode(response, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent) {
		return armerr.From(op, object, runtime.NewResponseError(response))
	}
	return armerr.From(op, object, r.finish(ctx, o.Method, response, out))
}

// verbs name methods in errors.
var verbs = map[string]string{http.MethodGet: "read", http.MethodHead: "look for", http.MethodPut: "create", http.MethodPatch: "change", http.MethodDelete: "delete", http.MethodPost: "call"}

// finish decodes a response, of a write once its operation has ended.
func (r *Resources) finish(ctx context.Context, method string, response *http.Response, out any) error {
	if method == http.MethodGet || method == http.MethodHead {
		return decodeInto(out, response)
	}
	if response.StatusCode != http.StatusAccepted && response.Header.Get("Azure-AsyncOperation") == "" {
		// Of a new identity it is the resource itself, and no address (recording 35).
		response.Header.Del("Location")
	}
	poller, err := runtime.NewPoller[json.RawMessage](response, r.client.Pipeline(), nil)
	if err != nil {
		return err
	}
	result, err := resultOf(ctx, poller, response.Header)
	if err != nil || out == nil || len(result) == 0 {
		return err
	}
	return json.Unmarshal(result, out)
}

// resultOf waits for an operation to end. Last is the header of the latest response.
func resultOf(ctx context.Context, poller *runtime.Poller[json.RawMessage], last http.Header) (json.RawMessage, error) {
	for pause := firstPoll; !poller.Done(); pause = min(2*pause, pollEvery) {
		select {
		case <-time.After(max(pause, armerr.RetryAfterOf(last))):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		response, err := poller.Poll(ctx)
		if err != nil {
			return nil, err
		}
		last = response.Header
	}
	return poller.Result(ctx)
}

func decodeInto(out any, response *http.Response) error {
	if out == nil {
		runtime.Drain(response)
		return nil
	}
	return runtime.UnmarshalAsJSON(response, out)
}

// Title names the resource of an ID in messages, as `subnet "ci"`.
func Title(id string) string {
	kind, name := path.Base(path.Dir(id)), path.Base(id)
	if title, ok := titles[strings.ToLower(kind)]; ok {
		return fmt.Sprintf("%s %q", title, name)
	}
	if title, ok := titles[strings.ToLower(name)]; ok {
		return "list of each " + title
	}
	return name
}

// titles are the words for resource types, by the last part in lower case.
var titles = map[string]string{
	"subscriptions": "subscription", "resourcegroups": "resource group", "virtualnetworks": "virtual network", "subnets": "subnet",
	"networksecuritygroups": "network security group", "natgateways": "NAT gateway", "publicipaddresses": "public IP address",
	"virtualmachinescalesets": "scale set", "virtualmachines": "virtual machine", "roledefinitions": "role definition",
	"roleassignments": "role assignment", "userassignedidentities": "identity", "locks": "lock", "permissions": "permission",
	"providers": "resource provider", "images": "image", "versions": "image version", "skus": "size", "usages": "quota",
}
