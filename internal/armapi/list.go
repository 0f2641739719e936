package armapi

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

var (
	errNoID      = errors.New(`response has no "id"`)
	errNoValue   = errors.New(`response has no "value" array`)
	errNullEntry = errors.New(`response has null in its "value" array`)
	errSamePage  = errors.New("response links to the page that was read before it")
)

// into returns a call that reads a whole list and stores its conversion in all.
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

// each converts the entries of a list; those for which one returns false are left
// out.
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

// collect reads all pages. An incomplete list is an error: a missing instance
// would be taken for a deleted one.
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
			return nil, errNoValue
		}
		for _, item := range items {
			if item == nil {
				return nil, errNullEntry
			}
		}
		all = append(all, items...)
		if link := val(next); link != "" && link == last {
			return nil, errSamePage
		}
		last = val(next)
	}
	return all, nil
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
