package instancegroup

import (
	"context"
	"slices"
	"strconv"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	opPage  = "Page"
	opGraph = "Graph"
)

// page is the nth page of a list; its link is its number.
func (f *fake) page(all []vmss.Instance, n int) vmss.Page {
	size := f.pageSize
	if size == 0 {
		size = max(1, len(all))
	}
	from, to := min(n*size, len(all)), min((n+1)*size, len(all))
	p := vmss.Page{Instances: all[from:to]}
	if n > 0 {
		p.Link = strconv.Itoa(n)
	}
	if to < len(all) {
		p.Next = strconv.Itoa(n + 1)
	}
	return p
}

// showPages passes a list on page by page.
func (f *fake) showPages(all []vmss.Instance, o vmss.ListOptions) {
	for n := 0; ; n++ {
		p := f.page(all, n)
		o.Page(p)
		if p.Next == "" {
			return
		}
	}
}

// ReadPage implements vmss.Instances.
func (f fakeInstances) ReadPage(ctx context.Context, link string, _ func(string) string) (p vmss.Page, err error) {
	err = f.do(ctx, opPage, func() error {
		n := 0
		if link != "" {
			if n, err = strconv.Atoi(link); err != nil {
				return azure(armerr.Invalid, 400)
			}
		}
		p = f.page(f.shown(), n)
		return nil
	})
	return p, err
}

// ListByGraph implements vmss.Instances: it shows what a test has kept of the past.
func (f fakeInstances) ListByGraph(ctx context.Context, vmID func(string) string, page func([]vmss.Instance)) error {
	return f.do(ctx, opGraph, func() error {
		size := max(1, f.pageSize)
		for n := 0; n < len(f.past); n += size {
			page(f.past[n:min(n+size, len(f.past))])
		}
		return nil
	})
}

// GraphRoom implements vmss.Instances.
func (f *fake) GraphRoom() vmss.ListRoom {
	return vmss.ListRoom{Pages: 200, Cost: 1, PerMinute: 2000}
}

// remember has Resource Graph show what there is now.
func (f *fake) remember() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.past = slices.Clone(f.vms)
}

// ListRoom implements vmss.Instances.
func (f *fake) ListRoom() vmss.ListRoom {
	f.mu.Lock()
	defer f.mu.Unlock()
	cost := 1
	if f.pageSize > 0 {
		cost = max(1, (len(f.vms)+f.pageSize-1)/f.pageSize)
	}
	return vmss.ListRoom{Pages: f.lists * cost, Cost: cost, PerMinute: f.perMinute}
}
