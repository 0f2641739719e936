package azhttp

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestJournalAfter(t *testing.T) {
	j := NewJournal()
	assert.Empty(t, j.After(0))
	for _, operation := range []string{"a", "b", "a"} {
		j.Add(Entry{Operation: operation})
	}
	seqs := func(after int) (seqs []int) {
		for _, e := range j.After(after) {
			seqs = append(seqs, e.Seq)
		}
		return seqs
	}
	assert.Equal(t, []int{1, 2, 3}, seqs(0))
	assert.Equal(t, []int{1, 2, 3}, seqs(-5))
	assert.Equal(t, []int{3}, seqs(2))
	assert.Empty(t, seqs(3))
	assert.Empty(t, seqs(9))
	counts, _ := j.Counts()
	assert.Equal(t, map[string]int{"a": 2, "b": 1}, counts)
}

func TestJournalIsBounded(t *testing.T) {
	j := NewJournal()
	for range journalLimit + 1 {
		j.Add(Entry{Operation: "a"})
	}
	kept := j.After(0)
	assert.Len(t, kept, journalLimit/2+1)
	assert.Equal(t, journalLimit+1, kept[len(kept)-1].Seq)
	assert.Len(t, j.After(1), len(kept), "what is gone counts")
	counts, _ := j.Counts()
	assert.Equal(t, journalLimit+1, counts["a"])
}

func TestJournalForgetsWhatWasNotSimulatedLongAgo(t *testing.T) {
	j := NewJournal()
	for n := range 5 * notSimulatedLimit {
		j.AddNotSimulated(strconv.Itoa(n))
	}
	_, left := j.Counts()
	assert.LessOrEqual(t, len(left), notSimulatedLimit)
	assert.Equal(t, strconv.Itoa(5*notSimulatedLimit-1), left[len(left)-1])
}
