package instancegroup

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/armerr"
)

// verification is what a read of an instance before its deletion found.
type verification struct {
	gone bool
	err  error
}

// verify reads those of the members that are to be read, at the same time.
func (a *deleteAttempt) verify(ctx context.Context, ids []string) map[string]verification {
	var mu sync.Mutex
	verified := map[string]verification{}
	reading, ctx := errgroup.WithContext(ctx) // which an error that meets all ends
	reading.SetLimit(confirmAtOnce)
	for _, id := range ids {
		m := a.view.Find(id)
		if !a.reads[id] {
			continue
		}
		reading.Go(func() error {
			gone, err := false, armerr.From("delete instances of", fmt.Sprintf("scale set %q", a.name), ctx.Err())
			if err == nil {
				gone, err = a.replaced(ctx, m)
			}
			mu.Lock()
			defer mu.Unlock()
			verified[id] = verification{gone, err}
			if armerr.IsSystemic(err) {
				return err
			}
			return nil
		})
	}
	_ = reading.Wait() // it is among the verifications
	return verified
}

// replaced reports whether the number of a member belongs to nobody or to
// another instance by now, or is being deleted by somebody else. Where no vmId
// proves it, it is an error: what is not known for certain is not deleted (F17).
func (a *deleteAttempt) replaced(ctx context.Context, m *Member) (bool, error) {
	i, err := a.reach().Get(ctx, m.InstanceID)
	switch {
	case isGone(err):
		return true, nil
	case err != nil:
		return false, err
	case m.isUnidentified() && identify(i) == "" && !i.IsOn():
		return false, nil
	case identify(i) == "":
		return false, fmt.Errorf("delete instance %q of scale set %q: Azure's response holds no vmId, and its number may belong to another by now; nothing was changed; fix: none needed, it is tried again", m.MemberID, a.name)
	}
	return identify(i) != m.MemberID || i.Is("Deleting"), nil
}
