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
	// marksPerCall bounds how many instances one call marks: Resource Manager takes 200
	// writes at once.
	marksPerCall = 150

	// markSpare are writes that are left to others.
	markSpare = 20

	// markTimeout is how long is waited for the marks to be written: an instance must not
	// be changed for it to hibernate.
	markTimeout = 15 * time.Second
)

// mark marks members, and returns those that are marked.
func (c *powerChange) mark(ctx context.Context, members []*Member) (marked []*Member, err error) {
	marked, others := c.byMark(members)
	room := max(0, min(marksPerCall, c.client.Remaining(vmss.MarkInstance)-markSpare))
	others = others[:min(room, len(others))]
	operations, results := c.writeMarks(ctx, others, func(*Member) vmss.Mark { return vmss.Suspended })
	marked = append(marked, succeeded(others, results)...)
	slices.SortFunc(marked, func(a, b *Member) int { return byID(*a, *b) })
	if c.suspensions.hibernate {
		c.awaitMarks(ctx, operations)
	}
	return marked, armerr.Join(results...)
}

// byMark divides members into those that this process has marked, and the others.
func (c *powerChange) byMark(members []*Member) (marked, others []*Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range members {
		if c.suspensions.isMarked(m.MemberID) {
			marked = append(marked, m)
			continue
		}
		others = append(others, m)
	}
	return marked, others
}

// writeMark writes the mark of a member.
func (g *Group) writeMark(ctx context.Context, m *Member, mark vmss.Mark) (vmss.Operation, error) {
	o, err := g.reach().Mark(ctx, m.Instance, mark)
	if err != nil {
		return "", err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.suspensions.noteMark(m.MemberID, mark, g.now())
	return o, nil
}

// writeMarks writes the marks of members at a time, and returns the operation or the error
// of each.
func (g *Group) writeMarks(ctx context.Context, members []*Member, mark func(*Member) vmss.Mark) (operations []vmss.Operation, results []error) {
	operations, results = make([]vmss.Operation, len(members)), make([]error, len(members))
	var writing errgroup.Group
	writing.SetLimit(confirmAtOnce)
	for n, m := range members {
		writing.Go(func() error {
			operations[n], results[n] = g.writeMark(ctx, m, mark(m))
			return nil
		})
	}
	_ = writing.Wait() // the errors are in results
	return operations, results
}

// succeeded are the members whose results are no errors.
func succeeded(members []*Member, results []error) (done []*Member) {
	for n, m := range members {
		if results[n] == nil {
			done = append(done, m)
		}
	}
	return done
}

func noMark(*Member) vmss.Mark { return vmss.Unmarked }

// awaitMarks waits until the writes have ended. If one does not, Azure refuses what
// follows, and the runner asks again.
func (c *powerChange) awaitMarks(ctx context.Context, operations []vmss.Operation) {
	ctx, cancel := context.WithTimeout(ctx, markTimeout)
	defer cancel()
	for _, o := range operations {
		for o != "" && ctx.Err() == nil {
			p, err := c.client.Progress(ctx, o)
			if err != nil || p.Ended {
				break
			}
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}
