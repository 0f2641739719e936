// Package terminal shows things to people: colours on a terminal only, never with
// NO_COLOR (no-color.org), and something that moves while they wait, of which nothing
// gets into a pipe.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/briandowns/spinner"
	"github.com/fatih/color"
	"golang.org/x/term"
)

// Terminal is where a command writes. The zero Terminal discards.
type Terminal struct {
	Out, Err io.Writer

	colour bool // of Out
	redraw bool // Out is a terminal that can be emptied
	live   bool // Err is a terminal on which something can move
}

// New looks at what the writers are. getenv is the environment.
func New(out, err io.Writer, getenv func(string) string) Terminal {
	able := getenv("TERM") != "dumb" // which reads no escape codes
	redraw := able && isTerminal(out)
	return Terminal{Out: out, Err: err, colour: redraw && getenv("NO_COLOR") == "", redraw: redraw, live: able && isTerminal(err)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // a file descriptor fits
}

// Style is how a text looks.
type Style int

// The styles.
const (
	Plain Style = iota
	Good
	Doubtful
	Bad
	Faint
)

var attributes = map[Style]color.Attribute{Good: color.FgGreen, Doubtful: color.FgYellow, Bad: color.FgRed, Faint: color.Faint}

// Paint returns a text in a style.
func (t Terminal) Paint(s Style, text string) string {
	attribute, ok := attributes[s]
	if !ok || !t.colour {
		return text
	}
	c := color.New(attribute)
	c.EnableColor()
	return c.Sprint(text)
}

// Clear empties the screen, for what is drawn again. It reports whether it could.
func (t Terminal) Clear() bool {
	if t.redraw {
		_, _ = io.WriteString(t.Out, "\033[H\033[2J")
	}
	return t.redraw
}

// spinDelay is how long nothing moves: what is done by then needs no explanation.
const spinDelay = 500 * time.Millisecond

// Spin shows that something with a title is under way, until done is called.
func (t Terminal) Spin(title string) (done func()) {
	if !t.live {
		return func() {}
	}
	s := spinner.New(spinner.CharSets[14], 100*time.Millisecond, spinner.WithWriterFile(t.Err.(*os.File)), spinner.WithSuffix(" "+title))
	var mu sync.Mutex
	ended := false
	started := time.AfterFunc(spinDelay, func() {
		mu.Lock()
		defer mu.Unlock()
		if !ended {
			s.Start()
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		started.Stop()
		s.Stop()
	}
}

// barWidth is the length of a progress bar.
const barWidth = 24

// Progress shows how much of something has been done, from the first call of show until
// end is called. show must not be called after end.
func (t Terminal) Progress(title string) (show func(done, total int), end func()) {
	count, end := t.Count(title)
	return func(done, total int) {
		filled := min(barWidth, barWidth*done/max(1, total))
		count(fmt.Sprintf("%s%s %d of %d", strings.Repeat("█", filled), strings.Repeat("░", barWidth-filled), done, total))
	}, end
}

// Count shows a text that changes, as Progress does.
func (t Terminal) Count(title string) (show func(text string), end func()) {
	if !t.live {
		return func(string) {}, func() {}
	}
	s := spinner.New(spinner.CharSets[14], 100*time.Millisecond, spinner.WithWriterFile(t.Err.(*os.File)))
	return func(text string) {
		s.Lock()
		s.Suffix = " " + title + " " + text
		s.Unlock()
		s.Start() // which does nothing while it runs
	}, s.Stop
}
