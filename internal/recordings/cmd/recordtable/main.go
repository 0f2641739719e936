// Command recordtable derives the table of recorded exchanges that the
// simulator's replay test works from:
//
//	go run ./internal/recordings/cmd/recordtable ../shared/recordings > armsim/testdata/exchanges.json
//
// What it leaves out, it lists on standard error.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "recordtable:", err)
		os.Exit(1)
	}
}

func run(args []string, out, complaints io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: recordtable DIR")
	}
	all, err := recordings.Load(args[0])
	if err != nil {
		return err
	}
	table, left := recordings.Derive(all)
	for _, what := range left {
		fmt.Fprintln(complaints, "left out:", what)
	}
	encoded, err := table.JSON()
	if err != nil {
		return fmt.Errorf("encode table: %w", err)
	}
	_, err = out.Write(encoded)
	return err
}
