package armapi

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

var (
	errNoList  = errors.New("the answer holds no list")
	errGap     = errors.New("the list holds an empty entry")
	errEndless = errors.New("the list links to the same page again")
)

// into is a call that reads a list and leaves in all what becomes of it.
func into[P, T, R any](
	all *R, pager *runtime.Pager[P], open func(P) ([]*T, *string), convert func([]*T) R,
) func(context.Context) error {
	return func(ctx context.Context) error {
		list, err := collect(ctx, pager, open)
		if err == nil {
			*all = convert(list)
		}
		return err
	}
}

// each converts a list one by one; false leaves an entry out.
func each[T, R any](one func(T) (R, bool)) func([]*T) []R {
	return func(list []*T) []R {
		all := make([]R, 0, len(list))
		for _, item := range list {
			if r, ok := one(*item); ok {
				all = append(all, r)
			}
		}
		return all
	}
}

// collect gathers all pages. A list that is not whole is an error: a missing
// instance would be taken for a deleted one.
func collect[P, T any](ctx context.Context, pager *runtime.Pager[P], open func(P) ([]*T, *string)) ([]*T, error) {
	all := []*T{}
	last := ""
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		items, next := open(page)
		if items == nil {
			return nil, errNoList
		}
		for _, item := range items {
			if item == nil {
				return nil, errGap
			}
		}
		all = append(all, items...)
		if link := val(next); link != "" && link == last {
			return nil, errEndless
		}
		last = val(next)
	}
	return all, nil
}

// val returns what p points to, or the zero value. Azure leaves out fields at
// its pleasure.
func val[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
