// Package terminal shows things to people: colours on a terminal only, never with
// NO_COLOR (no-color.org), and something that moves while they wait, of which nothing
// gets into a pipe.
package terminal

import (
	"io"
	"os"
	"time"

	"github.com/briandowns/spinner"
	"github.com/fatih/color"
	"golang.org/x/term"
)

// Terminal is where a command writes. The zero Terminal discards.
type Terminal struct {
	Out, Err io.Writer

	colour bool // of Out
	live   bool // Err is a terminal
}

// New looks at what the writers are. getenv is the environment.
func New(out, err io.Writer, getenv func(string) string) Terminal {
	return Terminal{Out: out, Err: err, colour: isTerminal(out) && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb", live: isTerminal(err)}
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

// spinDelay is how long nothing moves: what is done by then needs no explanation.
const spinDelay = 500 * time.Millisecond

// Spin shows that something with a title is under way, until done is called.
func (t Terminal) Spin(title string) (done func()) {
	if !t.live {
		return func() {}
	}
	s := spinner.New(spinner.CharSets[14], 100*time.Millisecond, spinner.WithWriter(t.Err), spinner.WithSuffix(" "+title))
	started := time.AfterFunc(spinDelay, s.Start)
	return func() {
		started.Stop()
		s.Stop()
	}
}
