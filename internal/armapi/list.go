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
