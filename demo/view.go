package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// view shows what goes on: redrawn in place on a terminal, else a line whenever
// something has changed.
type view struct {
	*load.Driver
	out      *os.File
	terminal bool
	last     string
}

// startView starts a view that ends when the driver stops.
func startView(ctx context.Context, d *load.Driver, out *os.File) {
	v := &view{Driver: d, out: out, terminal: term.IsTerminal(int(out.Fd()))}
	d.Background(ctx, func(ctx context.Context) {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-tick.C:
				v.draw(ctx)
			}
		}
	})
}

func (v *view) draw(ctx context.Context) {
	line, instances, err := v.Status(ctx)
	if err != nil {
		return // the demo itself reports what is wrong
	}
	at, busy := fmt.Sprintf("%4.0fs  ", v.Elapsed().Seconds()), v.Tally().Running
	switch {
	case v.terminal:
		bar := strings.Repeat("█", busy) + strings.Repeat("░", max(0, instances-busy))
		fmt.Fprintf(v.out, "\r\x1b[K%s%s  %s", at, line, bar)
	case line != v.last:
		fmt.Fprintln(v.out, at+line)
	}
	v.last = line
}
