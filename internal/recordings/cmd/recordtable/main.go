// Command recordtable derives a table of recorded exchanges that the simulator's
// replay test works from, out of directories of recordings:
//
//	go run ./internal/recordings/cmd/recordtable -only 01,02 DIR… > armsim/testdata/exchanges.json
//
// Which recordings and which of their exchanges a table has is in the Makefile.
// What it leaves out, it lists on standard error. With -check it writes nothing
// and fails where the given table is not what the recordings give, or where the
// table or a Go file below -sources holds names out of the recordings:
//
//	go run ./internal/recordings/cmd/recordtable -only 01,02 -check armsim/testdata/exchanges.json -sources armsim DIR…
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/internal/recordings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "recordtable:", err)
		os.Exit(1)
	}
}

func run(args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("recordtable", flag.ContinueOnError)
	flags.SetOutput(log)
	kept := flags.String("check", "", "compare with this `table` instead of writing one")
	sources := flags.String("sources", "", "with -check, a `directory` of Go files that may hold no names of the recordings")
	family := flags.String("family", "scale-sets", "the exchanges to take: `scale-sets` or setup")
	only := flags.String("only", "", "take recordings alone whose names begin with one of these `numbers`, as 29,30")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 || slices.Contains(flags.Args(), "") {
		return errors.New("usage: recordtable [-family setup] [-only NUMBERS] [-check TABLE [-sources DIR]] DIR…, where the last are directories of recordings")
	}
	all, err := recordings.LoadOnly(*only, flags.Args()...)
	if err != nil {
		return err
	}
	families := map[string]recordings.Family{"scale-sets": recordings.ScaleSets, "setup": recordings.Setup}
	if families[*family] == nil {
		return fmt.Errorf("family %q: there is none of that name; known: scale-sets, setup", *family)
	}
	table, left := recordings.DeriveOf(all, families[*family])
	for _, what := range left {
		fmt.Fprintln(log, "left out:", what)
	}
	if *kept != "" {
		return check(all, table, *kept, *sources)
	}
	encoded, err := table.JSON()
	if err != nil {
		return fmt.Errorf("encode table: %w", err)
	}
	_, err = out.Write(encoded)
	return err
}

func check(all []recordings.Recording, fresh recordings.Table, file, sources string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("check table: %w", err)
	}
	encoded, err := fresh.JSON()
	if err != nil {
		return fmt.Errorf("encode table: %w", err)
	}
	if string(raw) != string(encoded) {
		return different(file, raw, fresh)
	}
	files := []string{file}
	if sources != "" {
		more, err := recordings.GoFiles(sources)
		if err != nil {
			return err
		}
		files = append(files, more...)
	}
	found, err := recordings.NamesInFiles(all, files)
	if err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("names out of recordings: %s", strings.Join(found, "; "))
	}
	return nil
}

// different is the error of a table that is not what the recordings give.
func different(file string, raw []byte, fresh recordings.Table) error {
	var kept recordings.Table
	if err := json.Unmarshal(raw, &kept); err != nil {
		return fmt.Errorf("check table: %s: %w", file, err)
	}
	differences := recordings.Differences(kept, fresh)
	if len(differences) == 0 {
		differences = []string{"it is written or ordered otherwise"}
	}
	return fmt.Errorf("%s is not what the recordings give: %s; fix: write it again without -check", file, strings.Join(differences, "; "))
}
