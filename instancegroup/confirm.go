package instancegroup

import (
	"context"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/vmss"
)

// confirmAtOnce bounds how many instances are read at the same time: hundreds
// go at once when Azure takes its Spot capacity back.
const confirmAtOnce = 16

// confirmation is what is known of the members that a list lacks.
type confirmation struct {
	kept   []vmss.Instance // that exist, or may
	unread map[string]bool // of kept, by member ID: they were not looked for, and stay what they were
	ours   []vmss.Instance // that are being deleted by the plugin, and may be gone
	gone   []string
}

// confirm finds out which of the missing members no longer exist. Azure is asked for
// the instance itself, since a list may lag or skip: a job may run there (F25). Where
// the limits leave no room for that, a member stays what it was, and is asked for before
// the others next time. One that the plugin deletes is gone when the operation has
// ended; it need not be asked for before another list lacks it, too, and where lists are
// long and yet plentiful, that is the proof. One whose number another instance has needs
// none. What was asked for before an error is remembered, so that the next reading has
// less to ask.
func (r *reading) confirm(ctx context.Context, base *View, listed []vmss.Instance) (c confirmation, err error) {
	missing := r.withoutKnown(missing(listed, base), holders(listed), &c)
	if len(missing) == 0 {
		return c, nil
	}
	slices.SortStableFunc(missing, func(a, b Member) int { return a.seen.Compare(b.seen) })
	room := min(len(missing), r.reach().ReadsRemaining())
	c.leave(missing[room:])
	known := len(c.gone)
	var mu sync.Mutex
	var confirming errgroup.Group
	confirming.SetLimit(confirmAtOnce)
	for _, m := range missing[:room] {
		confirming.Go(func() error {
			i, exists, err := r.find(ctx, base, m)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
			case exists:
				c.kept = append(c.kept, i)
			default:
				c.gone = append(c.gone, m.MemberID)
			}
			return err
		})
	}
	err = confirming.Wait()
	r.log.Info("instances are missing from the list", "count", len(missing), "gone", len(c.gone), "found", len(c.kept)-len(c.unread))
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.inventory.remember(c.gone[known:], r.now())
	}
	return c, err
}

// leave keeps members that are not looked for.
func (c *confirmation) leave(members []Member) {
	c.unread = map[string]bool{}
	for _, m := range members {
		c.kept = append(c.kept, m.Instance)
		c.unread[m.MemberID] = true
	}
}

// withoutKnown takes out the members that the plugin deletes, and those that another
// instance has succeeded.
func (r *reading) withoutKnown(missing []Member, holders map[string]bool, c *confirmation) (others []Member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range missing {
		absence := r.deletions.absent(m.MemberID, r.number, isPlentiful(r.room), r.now())
		switch {
		case absence == absenceProven, holders[strings.ToLower(m.ID)]:
			c.gone = append(c.gone, m.MemberID)
		case absence == absenceExpected:
			c.ours = append(c.ours, m.Instance)
		default:
			others = append(others, m)
		}
	}
	r.deletions.hasten()
	return others
}

// holders are the resource IDs, in lower case, of instances that have an identity.
func holders(listed []vmss.Instance) map[string]bool {
	ids := make(map[string]bool, len(listed))
	for _, i := range listed {
		if identify(i) != "" {
			ids[strings.ToLower(i.ID)] = true
		}
	}
	return ids
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
