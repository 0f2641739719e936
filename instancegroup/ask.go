package instancegroup

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// answer is what Azure said when it was asked for an instance.
type answer struct {
	gone bool
	err  error
}

// askFor asks for the members of IDs, at the same time: for all of them, or only
// for those of which the view does not tell the vmId.
func (g *Group) askFor(ctx context.Context, v *View, ids []string, all bool) map[string]answer {
	var mu sync.Mutex
	answers := map[string]answer{}
	asking, ctx := errgroup.WithContext(ctx) // which an error that meets all ends
	asking.SetLimit(askAtOnce)
	for _, id := range ids {
		m := v.Find(id)
		if m == nil || !all && !m.assumed {
			continue
		}
		asking.Go(func() error {
			gone, err := false, armerr.From("delete instances of", fmt.Sprintf("scale set %q", g.set.Name), ctx.Err())
			if err == nil {
				gone, err = g.isAnother(ctx, m)
			}
			mu.Lock()
			defer mu.Unlock()
			answers[id] = answer{gone, err}
			if lasting(err) {
				return err
			}
			return nil
		})
	}
	_ = asking.Wait() // it is among the answers
	return answers
}

// isAnother asks Azure if the number of a member belongs to nobody or to
// somebody else by now, or if somebody else deletes it. Where no vmId says so it
// is an error: what is not known for certain is not deleted (F17).
func (g *Group) isAnother(ctx context.Context, m *Member) (bool, error) {
	i, err := g.instances.Get(ctx, m.InstanceID)
	switch {
	case armerr.Is(err, armerr.NotFound):
		return true, nil
	case err != nil:
		return false, err
	case m.stray() && identify(i) == "" && !i.IsOn():
		return false, nil
	case identify(i) == "":
		return false, fmt.Errorf("delete instance %q of scale set %q: Azure tells no vmId, and its number may belong to another by now; nothing was changed; fix: none needed, it is tried again", m.MemberID, g.set.Name)
	}
	return identify(i) != m.MemberID || i.Is("Deleting"), nil
}
