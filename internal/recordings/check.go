package recordings

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Differences describes what a table that was kept lacks of a fresh one, and
// what it has beyond it, by recording; none: they are equal.
func Differences(kept, fresh Table) []string {
	was, is := byName(kept), byName(fresh)
	all := maps.Clone(was)
	maps.Copy(all, is)
	var differences []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		_, inKept := was[name]
		_, inFresh := is[name]
		switch {
		case !inKept:
			differences = append(differences, name+": not in the table")
		case !inFresh:
			differences = append(differences, name+": in the table, but there is no such recording")
		case encoded(was[name]) != encoded(is[name]):
			differences = append(differences, name+": the table has other exchanges")
		}
	}
	return differences
}

// encoded makes summaries comparable: one that was read back has nil where a
// derived one has empty maps.
func encoded(s Summary) string {
	raw, _ := json.Marshal(s) // of strings, numbers and maps of strings: never fails
	return string(raw)
}

func byName(t Table) map[string]Summary {
	m := map[string]Summary{}
	for _, s := range t.Recordings {
		m[s.Name] = s
	}
	return m
}

// namesAnything reports whether a path names more than a subscription and what is
// Azure's own.
func namesAnything(r Recording) bool {
	found := false
	for _, e := range r.Entries {
		u, err := url.Parse(e.URL)
		if err != nil {
			continue
		}
		eachSegment(u.Path, func(_, kind string) {
			found = found || kind != "" && kind != "subscription" && !slices.Contains(public, kind)
		})
	}
	return found
}

// NamesInFiles finds names of the recordings, see Names, in files: nothing of a
// simulator may be keyed to a recording. The error says what could not be read,
// or that a recording has exchanges but no names, so that the search is blind.
func NamesInFiles(all []Recording, files []string) ([]string, error) {
	where := map[string]string{} // words
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("search names of recordings: %w", err)
		}
		for _, w := range word.FindAllString(string(raw), -1) {
			where[w] = file
		}
	}
	var found []string
	for _, r := range all {
		names := Names(r)
		if len(names) == 0 && namesAnything(r) {
			return nil, fmt.Errorf("search names of recordings: %s names nothing", r.Name)
		}
		for _, name := range names {
			if file, ok := where[name]; ok {
				found = append(found, fmt.Sprintf("%s: %s of recording %s", file, name, r.Name))
			}
		}
	}
	return found, nil
}

var word = regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9_-]*`)

// GoFiles are the Go files below a directory, tests included.
func GoFiles(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(path, ".go") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list Go files: %w", err)
	}
	return files, nil
}
