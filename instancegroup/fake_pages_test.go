package instancegroup

import (
	"context"
	"strconv"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const opPage = "Page"

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
