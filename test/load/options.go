package load

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Options are what the flags set that programs share.
type Options struct {
	Plugin    string // our binaries
	Simulator string
	LogFile   string // of the plugin and of what drives it

	// Config is a config.toml whose one runner with this plugin is driven, against a
	// simulator that runs, in place of all below; empty: none.
	Config string

	Mode string        // orchestration mode, in any case
	Spot string        // eviction policy of Spot instances; empty: regular instances
	Boot time.Duration // median boot time
	Seed uint64        // of the simulator; 0: a random one

	MaxInstances int
	IdleCount    int
}

// BindFlags defines the flags that each program has.
func (o *Options) BindFlags() {
	flag.StringVar(&o.Plugin, "plugin", sibling("fleeting-plugin-azure"), "plugin binary")
	flag.StringVar(&o.Simulator, "armsim", sibling("armsim"), "simulator binary")
	flag.StringVar(&o.Mode, "mode", "Uniform", "orchestration mode: Uniform or Flexible")
}

// BindScaling defines those of programs whose users choose numbers and times. The
// defaults are what o holds.
func (o *Options) BindScaling() {
	BindFile(&o.LogFile, "log", ".log", "file for the logs of the plugin and of what drives it")
	flag.DurationVar(&o.Boot, "boot", o.Boot, "median boot time of an instance")
	flag.IntVar(&o.MaxInstances, "max-instances", o.MaxInstances, "most instances at a time")
	flag.IntVar(&o.IdleCount, "idle", o.IdleCount, "idle instances kept ready")
	flag.StringVar(&o.Spot, "spot", o.Spot, "Spot instances with this eviction policy: Delete or Deallocate; empty: regular ones, which are not evicted")
	flag.Uint64Var(&o.Seed, "seed", 0, "seed of all that is random; 0 takes a random one")
}

// BindFile defines the flag for a file that a program writes. By default it is
// next to the program and begins with its name.
func BindFile(file *string, name, suffix, usage string) {
	flag.StringVar(file, name, sibling(filepath.Base(os.Args[0])+suffix), usage)
}

// Parse parses the command line, which must hold nothing but flags.
func (o *Options) Parse() error {
	flag.Parse()
	switch {
	case flag.NArg() > 0:
		return fmt.Errorf("unexpected argument %q; see -help", flag.Arg(0))
	case !strings.EqualFold(o.Mode, "Uniform") && !o.Flexible():
		return fmt.Errorf("-mode %q: it must be Uniform or Flexible", o.Mode)
	}
	return o.checkConfig()
}

// BindConfig defines the flag for a configuration.
func (o *Options) BindConfig() {
	flag.StringVar(&o.Config, configFlag, "", "config.toml of a GitLab Runner, as fleeting-plugin-azure setup prints it: run on its scale set, in the armsim whose exports are in the environment")
}

const configFlag = "config"

// checkConfig names a flag of what Config has.
func (o *Options) checkConfig() (err error) {
	if o.Config == "" {
		return nil
	}
	flag.Visit(func(f *flag.Flag) {
		if slices.Contains([]string{"armsim", "mode", "boot", "max-instances", "idle", "spot", "seed"}, f.Name) {
			err = fmt.Errorf("-%s and -%s exclude each other", f.Name, configFlag)
		}
	})
	return err
}

// modeName is the orchestration mode for people.
func (o *Options) modeName() string { return strings.ToLower(o.Mode) }

// Flexible reports whether the orchestration mode is Flexible.
func (o *Options) Flexible() bool { return strings.EqualFold(o.Mode, "Flexible") }

// sibling is a file next to this program, where the Makefile puts the others.
func sibling(name string) string {
	self, err := os.Executable()
	if err != nil {
		return name
	}
	return filepath.Join(filepath.Dir(self), name)
}

// Main runs a program until it is done or a signal cancels its context, and
// exits with 1 after an error.
func Main(run func(context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

// Verdict prints what is not as expected and the summary, which is the last
// line. It returns an error if anything is not as expected.
func Verdict(summary string, wrong ...string) error {
	for _, what := range wrong {
		fmt.Println("not as expected:", strings.ReplaceAll(what, "\n", "; "))
	}
	fmt.Println(summary)
	if len(wrong) > 0 {
		return errors.New("failed") // why is printed
	}
	return nil
}
