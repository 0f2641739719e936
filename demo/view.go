package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/load"
)

// view shows what goes on: redrawn in place on a terminal, else a line whenever
// something has changed.
type view struct {
	driver   *load.Driver
	out      *os.File
	terminal bool
	last     string
	cancel   context.CancelFunc
	finished sync.WaitGroup
}

func startView(ctx context.Context, d *load.Driver, out *os.File) *view {
	v := &view{driver: d, out: out, terminal: term.IsTerminal(int(out.Fd()))}
	ctx, v.cancel = context.WithCancel(ctx)
	v.finished.Go(func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				v.draw(ctx)
			}
		}
	})
	return v
}

func (v *view) stop() {
	v.cancel()
	v.finished.Wait()
	if v.terminal {
		fmt.Fprintln(v.out)
	}
}

func (v *view) draw(ctx context.Context) {
	line, instances, err := v.driver.Status(ctx)
	if err != nil {
		return // the demo itself reports what is wrong
	}
	at, busy := fmt.Sprintf("%4.0fs  ", v.driver.Elapsed().Seconds()), v.driver.Tally().Running
	switch {
	case v.terminal:
		bar := strings.Repeat("█", busy) + strings.Repeat("░", max(0, instances-busy))
		fmt.Fprintf(v.out, "\r\x1b[K%s%s  %s", at, line, bar)
	case line != v.last:
		fmt.Fprintln(v.out, at+line)
	}
	v.last = line
}
