package instancegroup

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

const (
	// plentyWait and scarceWait are the times that instances wait in all, as expected,
	// for a page to be read again: where the limits leave many pages (manyPages), and
	// where they leave none.
	plentyWait = 8 * time.Second
	scarceWait = 40 * time.Second
	manyPages  = 25

	// mostUnlisted is how many instances may be pending that no list has shown yet, for
	// the last page to be looked at for them.
	mostUnlisted = 100

	// unlistedAge is the age at which a list should show an instance.
	unlistedAge = 15 * time.Second

	// pagesAtOnce bounds how many pages are read at the same time.
	pagesAtOnce = 8

	// morePages bounds how many pages are read that come after the last one known.
	morePages = 4

	// refusalsAllowed is how many links may be refused before no page is read again.
	refusalsAllowed = 3
)

// pageIndex owns which instances the pages of the last list showed. A page may be read
// again by its link: where a list is long, few of its instances are about to come up,
// and they are new, so that one page tells most of what the whole list would. Azure
// does not promise what a link leads to later. What it shows is so in any case; what it
// lacks counts for nothing before the next whole list.
type pageIndex struct {
	pages    []indexedPage
	refusals int       // links that did not work
	fullest  int       // instances on a page
	listed   time.Time // when the list began
	etag     string    // of the scale set just before; empty: not known
}

type indexedPage struct {
	link string
	ids  []string // of its members
	read time.Time
}

// note measures a page.
func (x *pageIndex) note(p vmss.Page) { x.fullest = max(x.fullest, len(p.Instances)) }

func indexed(p vmss.Page, now time.Time) indexedPage {
	page := indexedPage{link: p.Link, read: now}
	for _, i := range p.Instances {
		page.ids = append(page.ids, identify(i))
	}
	return page
}

// serves reports whether pages can be read instead of the whole list.
func (x *pageIndex) serves(r vmss.ListRoom) bool {
	return !isShort(r) && len(x.pages) > 1 && x.refusals < refusalsAllowed
}

// lastRead is when a page was read last.
func (x *pageIndex) lastRead() (last time.Time) {
	for _, p := range x.pages {
		if p.read.After(last) {
			last = p.read
		}
	}
	return last
}

// store takes over a page that was read again, and adds the one after the last.
func (x *pageIndex) store(n int, p vmss.Page, now time.Time) (more bool) {
	x.pages[n] = indexed(p, now)
	if more = n == len(x.pages)-1 && p.Next != ""; more {
		x.pages = append(x.pages, indexedPage{link: p.Next})
	}
	return more
}

// worthReading is how long instances wait in all for a page to be read again. Where few
// pages are left, one that is read too early is missing later.
func worthReading(r vmss.ListRoom) time.Duration {
	if r.PerMinute > steadyPages || r.Pages >= manyPages {
		return plentyWait
	}
	return plentyWait + scarceWait*time.Duration(manyPages-r.Pages)/manyPages
}

// glance reads pages again.
func (r *reading) glance(ctx context.Context) error {
	r.findAddressesEarly(ctx)
	read, vmID := make([][]vmss.Page, len(r.pages)), r.knownVMID()
	var reading errgroup.Group
	reading.SetLimit(pagesAtOnce)
	for at, n := range r.pages {
		reading.Go(func() error {
			read[at] = r.readFrom(ctx, n, vmID)
			return nil
		})
	}
	_ = reading.Wait()
	return r.addressPages(ctx, slices.Concat(read...))
}

// readFrom reads a page, and if it is the last one, those that come after it.
func (r *reading) readFrom(ctx context.Context, n int, vmID func(string) string) (read []vmss.Page) {
	for extra := range 1 + morePages {
		p, more := r.readAgain(ctx, n+extra, vmID)
		read = append(read, p)
		if !more {
			break
		}
	}
	return read
}

// readAgain reads a page by its link, and reports whether there is another after the
// last.
func (r *reading) readAgain(ctx context.Context, n int, vmID func(string) string) (p vmss.Page, more bool) {
	link, ok := r.link(n)
	if !ok {
		return p, false
	}
	p, err := r.reach().ReadPage(ctx, link, vmID)
	if err != nil {
		r.noteRefusal(err)
		return vmss.Page{}, false
	}
	r.takePage(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	return p, n < len(r.index.pages) && r.index.store(n, p, r.now())
}

// link is where a page is.
func (r *reading) link(n int) (link string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n >= len(r.index.pages) { // another link was refused
		return "", false
	}
	return r.index.pages[n].link, true
}

// noteRefusal has the whole list read next.
func (r *reading) noteRefusal(err error) {
	r.log.Debug("a page could not be read again; the whole list is", "operation", "update", "error", err)
	if armerr.Is(err, armerr.Throttled) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.index.refusals++
	r.index.pages = r.index.pages[:0:0]
}

// addressPages reads the interfaces if an instance is up whose address is not known.
func (r *reading) addressPages(ctx context.Context, read []vmss.Page) error {
	var instances []vmss.Instance
	for _, p := range read {
		instances = append(instances, p.Instances...)
	}
	before := r.addressed()
	if err := r.findAddresses(ctx, instances); err != nil {
		return err
	}
	if r.addressed() > before {
		r.takePage(vmss.Page{Instances: instances})
	}
	return nil
}

func (r *reading) addressed() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.inventory.addresses)
}
