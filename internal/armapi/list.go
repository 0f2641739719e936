package armapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armops"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/budget"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

var (
	errNoID      = errors.New(`response has no "id"`)
	errNoValue   = errors.New(`response has no "value" array`)
	errNullEntry = errors.New(`response has null in its "value" array`)
	errSamePage  = errors.New("response links to the page that was read before it")
)

// page is a page of any of Azure's lists.
type page[T any] struct {
	Value    []*T   `json:"value"`
	NextLink string `json:"nextLink"`
}

// withViews asks for the instance views; the key's case is that of the SDK.
func withViews() url.Values { return url.Values{"$expand": {"instanceView"}} }

// pages is what a caller wants to know while a list is read; nil functions: nothing.
type pages[R any] struct {
	read   func(link, next string, page []R) // a page has come
	wait   func(time.Duration)               // the next one has to wait for Azure's limits
	afford func(size int) error              // whether to go on after the first, of that size
}

// instancePages passes on what the options of a list of instances ask for.
func (c *Client) instancePages(class budget.Class, o vmss.ListOptions) pages[vmss.Instance] {
	p := pages[vmss.Instance]{wait: o.Wait}
	if o.Within > 0 {
		p.afford = func(size int) error {
			return c.budget.Afford(class, (o.Expected+size-1)/max(1, size)-1, o.Within)
		}
	}
	if o.Page != nil {
		p.read = func(link, next string, page []vmss.Instance) {
			o.Page(vmss.Page{Link: link, Next: next, Instances: page})
		}
	}
	return p
}

// into returns a call that reads a whole list and stores its conversion in all;
// entries for which convert returns false are left out.
func into[T, R any](
	all *[]R, c *Client, operation string, query url.Values, p pages[R], convert func(T) (R, bool),
) func(context.Context) error {
	return func(ctx context.Context) error {
		converted := []R{}
		err := collect(ctx, c, operation, query, p.wait, func(link string, read page[T]) error {
			before := len(converted)
			converted = appendConverted(converted, read.Value, convert)
			if p.read != nil {
				p.read(link, read.NextLink, converted[before:])
			}
			if p.afford != nil && link == "" && read.NextLink != "" {
				return p.afford(len(read.Value))
			}
			return nil
		})
		if err != nil {
			return err
		}
		*all = converted
		return nil
	}
}

func appendConverted[T, R any](all []R, list []*T, convert func(T) (R, bool)) []R {
	for _, item := range list {
		if r, ok := convert(*item); ok {
			all = append(all, r)
		}
	}
	return all
}

// collect reads all pages. An incomplete list is an error: a missing instance
// would be taken for a deleted one.
func collect[T any](ctx context.Context, c *Client, operation string, query url.Values, wait func(time.Duration), read func(link string, p page[T]) error) error {
	for link := ""; ; {
		p, err := awaitPage[T](ctx, c, operation, query, link, wait)
		if err != nil {
			return err
		}
		if err := read(link, p); err != nil {
			return err
		}
		switch p.NextLink {
		case "":
			return nil
		case link:
			return errSamePage
		}
		link = p.NextLink
	}
}

// awaitPage is readPage once Azure's limits allow it. The list would else begin anew,
// and cost as much again.
func awaitPage[T any](ctx context.Context, c *Client, operation string, query url.Values, link string, wait func(time.Duration)) (page[T], error) {
	for {
		p, err := readPage[T](ctx, c, operation, query, link)
		w, limited := errors.AsType[*budget.WaitError](err)
		if !limited || link == "" {
			return p, err
		}
		if wait != nil {
			wait(w.Wait)
		}
		select {
		case <-ctx.Done():
			return p, err
		case <-time.After(w.Wait + time.Millisecond): // no time at all would be a busy loop
		}
	}
}

// readPage reads the first page of a list, or the one that link leads to.
func readPage[T any](ctx context.Context, c *Client, operation string, query url.Values, link string) (p page[T], err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	first := func(ctx context.Context) (*policy.Request, error) { return c.request(ctx, operation, "", query) }
	response, err := runtime.FetcherForNextLink(ctx, c.generic.Pipeline(), link, first, nil) //nolint:bodyclose // the pipeline has read and closed it
	if err != nil {
		return p, err
	}
	if err := runtime.UnmarshalAsJSON(response, &p); err != nil {
		return p, err
	}
	if p.Value == nil {
		return p, errNoValue
	}
	for _, item := range p.Value {
		if item == nil {
			return p, errNullEntry
		}
	}
	return p, nil
}

// readOne reads one instance.
func readOne[T any](ctx context.Context, c *Client, operation, instance string) (one T, err error) {
	r, err := c.request(ctx, operation, instance, withViews())
	if err != nil {
		return one, err
	}
	response, err := c.send(r, http.StatusOK) //nolint:bodyclose // the pipeline has read and closed it
	if err != nil {
		return one, err
	}
	return one, runtime.UnmarshalAsJSON(response, &one)
}

// send sends a request; a response of another status than these is an error.
func (c *Client) send(r *policy.Request, statuses ...int) (*http.Response, error) {
	response, err := c.generic.Pipeline().Do(r)
	if err != nil {
		return nil, err
	}
	if !runtime.HasStatusCode(response, statuses...) {
		return nil, runtime.NewResponseError(response)
	}
	return response, nil
}

// request makes the request of a reading operation out of the table of operations.
func (c *Client) request(ctx context.Context, operation, instance string, query url.Values) (*policy.Request, error) {
	o := armops.ByName(operation)
	path := strings.NewReplacer(
		"{subscription}", url.PathEscape(c.subscription), "{group}", url.PathEscape(c.group),
		"{scaleSet}", url.PathEscape(c.name), "{instance}", url.PathEscape(instance),
	).Replace(o.Path)
	r, err := runtime.NewRequest(ctx, http.MethodGet, runtime.JoinPaths(c.generic.Endpoint(), path))
	if err != nil {
		return nil, err
	}
	all := url.Values{versionKey: {o.APIVersion}}
	for key, values := range query {
		all[key] = values
	}
	// Azure takes %20 for a space, as the SDK sends it, and not +.
	r.Raw().URL.RawQuery = strings.ReplaceAll(all.Encode(), "+", "%20")
	r.Raw().Header.Set("Accept", "application/json")
	return r, nil
}

// val returns what p points to, or the zero value: any field of a response may be
// missing.
func val[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
