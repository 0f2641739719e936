package repo_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	numbersFailureModes = "docs/reference/failure-modes.md"
	numbersGuarantees   = "docs/reference/guarantees.md"
)

// numbersFamily is a kind of number that comments and names may carry: each
// number must be an entry of a page, so that a reader can look it up.
type numbersFamily struct {
	name string
	page string

	// entry matches the heading of an entry, and use what refers to one. The
	// first group of use that is not empty holds one number or several.
	entry, use *regexp.Regexp

	// parts begin lines that each entry must have.
	parts []string

	// test is how the names of tests begin that are about a number, nil where
	// none are. The entry of a number names all of them.
	test *regexp.Regexp
}

var numbersFamilies = []numbersFamily{
	{
		name: "failure mode", page: numbersFailureModes,
		entry: regexp.MustCompile(`(?m)^### F(\d+): `),
		use:   regexp.MustCompile(`(?:\b|Test|play)F(\d{1,2})(?:\b|[A-Z])`),
		parts: []string{"Source", "Plugin", "Tests"},
		test:  regexp.MustCompile(`^TestF(\d+)`),
	},
	{
		name: "contract", page: numbersFailureModes,
		entry: regexp.MustCompile(`(?m)^### Contract ([A-Z]): `),
		use:   regexp.MustCompile(`TestContract([A-Z])(?:\b|[A-Z])|\b[Cc]ontract ([A-Z])\b`),
		parts: []string{"Source", "Plugin", "Tests"},
		test:  regexp.MustCompile(`^TestContract([A-Z])`),
	},
	{
		name: "weakness", page: numbersFailureModes,
		entry: regexp.MustCompile(`(?m)^### Weakness (\d+): `),
		use:   regexp.MustCompile(`TestWeakness(\d+)|\b[Ww]eakness(?:es)? (\d+(?:(?:, | and |, and )\d+)*)`),
		parts: []string{"Source", "Plugin", "Tests"},
		test:  regexp.MustCompile(`^TestWeakness(\d+)`),
	},
	{
		name: "case", page: numbersFailureModes,
		entry: regexp.MustCompile(`(?m)^### Case (\d+): `),
		use:   regexp.MustCompile(`TestCase(\d+)|\bCase (\d\d)\b`), // not the keyword
		parts: []string{"Source", "Plugin", "Tests"},
		test:  regexp.MustCompile(`^TestCase(\d+)`),
	},
	{
		name: "recording", page: numbersFailureModes,
		entry: regexp.MustCompile(`(?m)^### Recording (\d+): `),
		parts: []string{"Source", "Simulator", "Tests"},
		use:   regexp.MustCompile(`\b[Rr]ecordings? (\d+(?:(?:, | and |, and )\d+)*)`),
	},
	{
		name: "promise", page: numbersGuarantees,
		entry: regexp.MustCompile(`(?m)^## (\d+)\. `),
		use:   regexp.MustCompile(`\b[Pp]romises? (\d+(?:(?:, | and |, and )\d+)*)`),
	},
}

var (
	numbersOne      = regexp.MustCompile(`\d+|[A-Z]`)
	numbersTest     = regexp.MustCompile("`(Test\\w+)`")
	numbersTestFunc = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)

	// A comment's lines are one text: a number may stand on the next line.
	numbersWrap = regexp.MustCompile(`\n\s*// ?`)
)

// numbersRoot is the root of the repository.
func numbersRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		require.NotEqual(t, dir, filepath.Dir(dir), "no go.mod above the working directory")
		dir = filepath.Dir(dir)
	}
}

// numbersPlain makes one form of a number: failure mode 3 is F3 and F03.
func numbersPlain(number string) string {
	if n, err := strconv.Atoi(number); err == nil {
		return strconv.Itoa(n)
	}
	return number
}

// uses are the numbers of the family that a Go file refers to.
func (f numbersFamily) uses(source string) []string {
	var found []string
	for _, m := range f.use.FindAllStringSubmatch(numbersWrap.ReplaceAllString(source, " "), -1) {
		for _, number := range numbersOne.FindAllString(strings.Join(m[1:], ""), -1) {
			found = append(found, numbersPlain(number))
		}
	}
	return found
}

// entries are the texts of the family's entries by number, each up to the next
// heading of its page.
func (f numbersFamily) entries(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(numbersRoot(t), f.page))
	require.NoError(t, err)
	text, heading := string(page), regexp.MustCompile(`(?m)^##`)
	entries := map[string]string{}
	for _, at := range f.entry.FindAllStringSubmatchIndex(text, -1) {
		number, body := numbersPlain(text[at[2]:at[3]]), text[at[1]:]
		if next := heading.FindStringIndex(body); next != nil {
			body = body[:next[0]]
		}
		require.NotContains(t, entries, number, "%s has two entries of %s %s", f.page, f.name, number)
		entries[number] = body
	}
	require.NotEmpty(t, entries, "%s has no entry of a %s", f.page, f.name)
	return entries
}

// numbersSources are the Go files of all modules of the repository, by path.
func numbersSources(t *testing.T) map[string]string {
	t.Helper()
	root, sources := numbersRoot(t), map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		sources[name] = string(text)
		return err
	}))
	return sources
}

func numbersTests(sources map[string]string) []string {
	var tests []string
	for _, source := range sources {
		for _, m := range numbersTestFunc.FindAllStringSubmatch(source, -1) {
			tests = append(tests, m[1])
		}
	}
	return tests
}

// TestNumbersHaveEntries fails for a number in a Go file that no page explains.
func TestNumbersHaveEntries(t *testing.T) {
	sources := numbersSources(t)
	for _, f := range numbersFamilies {
		entries, used := f.entries(t), 0
		for path, source := range sources {
			for _, number := range f.uses(source) {
				used++
				if _, ok := entries[number]; !ok {
					t.Errorf("%s: %s has no entry of %s %s", path, f.page, f.name, number)
				}
			}
		}
		assert.NotZero(t, used, "no Go file refers to a %s", f.name)
	}
}

// TestNumbersNameTheirTests fails for an entry without its parts, for a test
// that does not exist, and for a test about a number that the number's entry
// does not name.
func TestNumbersNameTheirTests(t *testing.T) {
	tests := numbersTests(numbersSources(t))
	for _, f := range numbersFamilies {
		entries := f.entries(t)
		for number, entry := range entries {
			for _, wrong := range f.mistakes(entry, tests) {
				t.Errorf("%s: %s %s %s", f.page, f.name, number, wrong)
			}
		}
		for _, test := range tests {
			if number := f.numberOf(test); number != "" && !strings.Contains(entries[number], "`"+test+"`") {
				t.Errorf("%s: %s %s does not name %s", f.page, f.name, number, test)
			}
		}
	}
}

// mistakes is what is wrong with an entry.
func (f numbersFamily) mistakes(entry string, tests []string) []string {
	var wrong []string
	for _, part := range f.parts {
		if !strings.Contains(entry, "\n- "+part+": ") {
			wrong = append(wrong, "has no "+part)
		}
	}
	named := numbersTest.FindAllStringSubmatch(entry, -1)
	if len(named) == 0 {
		wrong = append(wrong, "names no test")
	}
	for _, m := range named {
		if !slices.Contains(tests, m[1]) {
			wrong = append(wrong, "names "+m[1]+", which does not exist")
		}
	}
	return wrong
}

// numberOf is the number of the family in the name of a test, if it has one.
func (f numbersFamily) numberOf(test string) string {
	if f.test == nil {
		return ""
	}
	m := f.test.FindStringSubmatch(test)
	if m == nil {
		return ""
	}
	return numbersPlain(m[1])
}

func TestNumbersAreFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"// as in F" + "17.":                                  {"17"},
		"// (F" + "1, F" + "03)":                              {"1", "3"},
		"func TestF" + "01Unknown(t":                          {"1"},
		"r.playF" + "07(x)":                                   {"7"},
		"0xF" + "1 0F" + "12a HTTPF":                          nil,
		"func TestContract" + "AError(t":                      {"A"},
		"func TestContracts(t":                                nil,
		"func TestCase" + "03SIGHUP(t":                        {"3"},
		"// as in Case" + " 03":                               {"3"},
		"case 12:":                                            nil,
		"// weakness" + " 4":                                  {"4"},
		"// values of recordings" + "\n// 01, 02 and 06, and": {"1", "2", "6"},
		"x++ // recording" + " 03":                            {"3"},
		"// one recording; 3 others":                          nil,
		"// it is promise" + " 4 and 6: nothing":              {"4", "6"},
	} {
		var found []string
		for _, f := range numbersFamilies {
			found = append(found, f.uses(text)...)
		}
		assert.Equal(t, want, found, "%q", text)
	}
}

// TestDocsIndexIsComplete keeps the index complete: each page of docs is linked once.
func TestDocsIndexIsComplete(t *testing.T) {
	t.Parallel()
	docs := filepath.Join(numbersRoot(t), "docs")
	index, err := os.ReadFile(filepath.Join(docs, "README.md"))
	require.NoError(t, err)
	var listed []string
	for _, m := range regexp.MustCompile(`\]\(([^):#]+)[^):]*\)`).FindAllStringSubmatch(string(index), -1) {
		_, err := os.Stat(filepath.Join(docs, m[1]))
		require.NoError(t, err)
		if filepath.Ext(m[1]) == ".md" && !strings.HasPrefix(m[1], "..") {
			listed = append(listed, m[1])
		}
	}
	var pages []string
	require.NoError(t, filepath.WalkDir(docs, func(path string, _ os.DirEntry, err error) error {
		page, _ := filepath.Rel(docs, path)
		if filepath.Ext(page) == ".md" && page != "README.md" {
			pages = append(pages, filepath.ToSlash(page))
		}
		return err
	}))
	slices.Sort(listed)
	slices.Sort(pages)
	assert.Equal(t, pages, listed)
}
