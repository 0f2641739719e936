package sim

import (
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/advise/jobs"
)

// childVariable is in the environment of a child process of a Pool.
const childVariable = "FLEETING_PLUGIN_AZURE_SIMULATES"

// answer is what a child sends for a Setting.
type answer struct {
	Result *Result
	Err    string
}

// Child simulates for a Pool and ends, if this process is a child of one. A program with
// a Pool calls it first of all. synctest.Test wants a test, and package testing makes one
// in any program; its flags and its output are kept from it.
func Child() {
	if os.Getenv(childVariable) == "" {
		return
	}
	in, out := os.Stdin, os.Stdout
	os.Args = os.Args[:1]
	os.Stdout = os.Stderr
	signal.Ignore(os.Interrupt) // a terminal sends it to the parent as well, which ends this process when it likes
	runtime.GOMAXPROCS(1)       // all wake one another; a Pool has a child for each processor
	debug.SetGCPercent(400)
	testing.Main(func(string, string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: "simulation", F: func(t *testing.T) { serve(t, in, out) }}}, nil, nil)
}

// serve plays each Setting that comes in with the jobs that came first.
func serve(t *testing.T, in io.Reader, out io.Writer) {
	d, e := json.NewDecoder(in), json.NewEncoder(out)
	var all []jobs.Job
	if d.Decode(&all) != nil {
		return
	}
	for {
		var s Setting
		if d.Decode(&s) != nil {
			return // the parent has no more
		}
		if e.Encode(play(t, s, all)) != nil {
			return
		}
	}
}

func play(t *testing.T, s Setting, all []jobs.Job) (a answer) {
	synctest.Test(t, func(*testing.T) {
		var err error
		if a.Result, err = Run(s, all); err != nil {
			a.Err = err.Error()
		}
	})
	return a
}
