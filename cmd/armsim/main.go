// Command armsim runs the Azure Resource Manager simulator on its own: it
// prints the environment that a client needs, and ends on SIGINT or SIGTERM.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run starts the simulator and blocks until ctx ends, or stdin does when asked
// to watch it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	o, err := parse(args, stdout)
	if err != nil {
		return err
	}
	s, err := armsim.New(o.config)
	if err != nil {
		return err
	}
	defer s.Close()
	env := s.Env()
	more, err := o.create(ctx, s)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "# armsim, seed %d\n", s.Seed)
	for _, variable := range append(env, more...) {
		key, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(stdout, "export %s=%s\n", key, shellQuote(value))
	}
	fmt.Fprintln(stdout, "# ready")
	wait(ctx, o.watchStdin, stdin)
	return nil
}

// wait blocks until ctx ends. A parent that dies closes our standard input,
// however it dies: watching it leaves no simulator behind.
func wait(ctx context.Context, watch bool, stdin io.Reader) {
	ended := make(chan struct{})
	if watch {
		go func() {
			_, _ = io.Copy(io.Discard, stdin) // its end is what matters, not how it came
			close(ended)
		}()
	}
	select {
	case <-ctx.Done():
	case <-ended:
	}
}

func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
