package recordings

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDifferences(t *testing.T) {
	table := func(names ...string) (all Table) {
		for _, name := range names {
			all.Recordings = append(all.Recordings, Summary{Name: name, Exchanges: []Exchange{{Index: 1}}})
		}
		return all
	}
	changed := table("a", "b")
	changed.Recordings[1].Exchanges[0].Status = 200
	assert.Empty(t, Differences(table("a", "b"), table("a", "b")))
	assert.Equal(t, []string{"c: not in the table"}, Differences(table("a"), table("a", "c")))
	assert.Equal(t, []string{"a: in the table, but there is no such recording"}, Differences(table("a", "b"), table("b")))
	assert.Equal(t, []string{"b: the table has other exchanges"}, Differences(table("a", "b"), changed))
}

func TestNamesInFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.go")
	require.NoError(t, os.WriteFile(file, []byte(`"x/theSet/y"`), 0o600))
	set := func(name string) []Recording {
		return []Recording{{Name: "one", Entries: []Entry{{URL: "/virtualMachineScaleSets/" + name}}}}
	}
	found, err := NamesInFiles(set("theSet"), []string{file})
	require.NoError(t, err)
	assert.Equal(t, []string{file + ": theSet of recording one"}, found)

	found, err = NamesInFiles(set("otherSet"), []string{file})
	require.NoError(t, err)
	assert.Empty(t, found)

	_, err = NamesInFiles(set("tiny"), []string{file})
	assert.ErrorContains(t, err, "names nothing", "too short to be told from a word")
	_, err = NamesInFiles(nil, []string{file + "x"})
	assert.Error(t, err)
}
