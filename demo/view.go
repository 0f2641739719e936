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

// show shows what goes on until the driver stops: redrawn in place on a terminal,
// else a line whenever something has changed.
func show(d *load.Driver) {
	terminal, last := term.IsTerminal(int(os.Stdout.Fd())), ""
	d.Every(500*time.Millisecond, func(ctx context.Context) {
		line, instances, err := d.Status(ctx)
		if err != nil {
			return // the demo itself reports what is wrong
		}
		at, busy := fmt.Sprintf("%4.0fs  ", d.Elapsed().Seconds()), d.Tally().Running
		switch {
		case terminal:
			bar := strings.Repeat("█", busy) + strings.Repeat("░", max(0, instances-busy))
			fmt.Printf("\r\x1b[K%s%s  %s", at, line, bar)
		case line != last:
			fmt.Println(at + line)
		}
		last = line
	})
}
