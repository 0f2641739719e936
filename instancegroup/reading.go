package instancegroup

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// reading is one reading of the group, from the list to a complete view.
type reading struct {
	*Group
	at     time.Time
	number uint64
}

func newReading(g *Group) *reading {
	g.mu.Lock()
	defer g.mu.Unlock()
	return &reading{Group: g, at: g.now(), number: g.inventory.beginReading()}
}

// run reads and stores a view. The context of the caller that happened to be
// first must not fail the others, so only its values are used.
func (r *reading) run(ctx context.Context) (*View, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTimeout)
	defer cancel()
	known := r.last().vmIDs()
	instances, err := r.reach().List(ctx, func(id string) string { return known[strings.ToLower(id)] })
	if err != nil {
		return nil, err
	}
	if err := r.findAddresses(ctx, instances); err != nil {
		return nil, err
	}
	for {
		base := r.last()
		found, gone, err := r.confirmGone(ctx, base, missing(instances, base))
		if err != nil {
			return nil, err
		}
		if err := r.findAddresses(ctx, found); err != nil { // the list lacked them
			return nil, err
		}
		l := listing{at: r.at, number: r.number, base: base, instances: slices.Concat(instances, found), listed: len(instances), gone: gone, spot: r.ScaleSet().IsSpot()}
		if v := r.store(l); v != nil {
			return v, nil
		}
	}
}

// store makes a view of a listing, and draws the conclusions from what it
// changes. It returns nil if missing members are to be confirmed anew.
func (r *reading) store(l listing) *View {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, c := r.inventory.apply(l, r.deletions.has, r.now())
	r.watch.viewed(v, l, &r.deletions, r.now())
	r.deletions.forget(c.gone)
	r.ledger.departed(c.departed)
	if c.failed > 0 || c.served > 0 {
		r.recordStartsLocked(c.served, c.failed, "did not come up", errors.New(c.reason))
	}
	return v
}

// confirmAtOnce bounds how many instances are read at the same time: hundreds
// go at once when Azure takes its Spot capacity back.
const confirmAtOnce = 16

// confirmGone finds out which of the missing members no longer exist, and finds
// the others. Azure is asked for the instance itself, since a list may lag or
// skip: a job may run there (F25), or its deletion may yet fail. What was found
// out before an error is remembered, so that the next reading has less to ask.
func (r *reading) confirmGone(ctx context.Context, base *View, missing []Member) (found []vmss.Instance, gone []string, err error) {
	if len(missing) == 0 {
		return nil, nil, nil
	}
	var mu sync.Mutex
	var confirming errgroup.Group
	confirming.SetLimit(confirmAtOnce)
	for _, m := range missing {
		confirming.Go(func() error {
			i, exists, err := r.find(ctx, base, m)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
			case exists:
				found = append(found, i)
			default:
				gone = append(gone, m.MemberID)
			}
			return err
		})
	}
	err = confirming.Wait()
	r.log.Info("instances are missing from the list", "count", len(missing), "gone", len(gone), "found", len(found))
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.inventory.remember(gone, r.now())
	}
	return found, gone, err
}

// find looks for a member that a list lacks.
func (r *reading) find(ctx context.Context, base *View, m Member) (vmss.Instance, bool, error) {
	r.mu.Lock()
	gone := r.inventory.isGone(m.MemberID)
	r.mu.Unlock()
	if gone {
		return vmss.Instance{}, false, nil
	}
	i, err := r.reach().Get(ctx, m.InstanceID)
	if isGone(err) {
		return vmss.Instance{}, false, nil
	}
	if err != nil {
		return vmss.Instance{}, false, err
	}
	id, _ := matchPrevious(i, base)
	return i, id == m.MemberID, nil
}

// findAddresses reads the network interfaces, all at once, if an instance is up
// whose address is not known yet.
func (r *reading) findAddresses(ctx context.Context, instances []vmss.Instance) error {
	r.mu.Lock()
	wanted := r.inventory.unaddressed(instances, r.now())
	r.mu.Unlock()
	if len(wanted) == 0 {
		return nil
	}
	interfaces, err := r.reach().Interfaces(ctx)
	if err != nil {
		return err
	}
	configs := primaryConfigs(interfaces, wanted)
	public, err := r.publicAddresses(ctx, configs)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, config := range configs {
		a := addresses{private: config.Private, public: public[config.PublicID]}
		if config.PublicID != "" && !a.public.IsValid() {
			continue // Azure is still assigning one
		}
		r.inventory.setAddress(id, a)
	}
	return nil
}

// publicAddresses are the public addresses by resource ID, if a configuration
// has one.
func (r *reading) publicAddresses(ctx context.Context, configs map[string]vmss.IPConfig) (map[string]netip.Addr, error) {
	for _, config := range configs {
		if config.PublicID != "" {
			return r.reach().PublicAddresses(ctx)
		}
	}
	return nil, nil
}
