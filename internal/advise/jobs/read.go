package jobs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Read reads jobs: JSON arrays one after another, JSON objects one after another, or CSV
// with a header. It holds one record at a time, and of each job a few words. The error is
// one line.
func Read(r io.Reader, f Filter) (*Load, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if mark, _ := b.Peek(3); string(mark) == "\ufeff" {
		_, _ = b.Discard(3)
	}
	first, err := firstLetter(b)
	if errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty; fix: name a file with jobs, or look at what the command before printed on standard error")
	}
	if err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	switch first {
	case '[', '{':
		return readJSON(b, f)
	case '<':
		return nil, errors.New("it is an HTML page and not JSON, probably the one to sign in; fix: give the API's address (…/api/v4/…), and a token with the scope read_api")
	}
	return readCSV(b, f)
}

// firstLetter skips white space, and peeks at what comes then.
func firstLetter(b *bufio.Reader) (byte, error) {
	for {
		c, err := b.ReadByte()
		if err != nil {
			return 0, err
		}
		if !unicode.IsSpace(rune(c)) {
			return c, b.UnreadByte()
		}
	}
}

// recordLimit is how many bytes one record may have: a job has about 3,000.
const recordLimit = 4 << 20

var errRecordLimit = fmt.Errorf("a record of more than %d MB is no job; fix: give it the response of /projects/ID/jobs or /runners/ID/jobs", recordLimit>>20)

// source is a reader that bytes can be put back to, and that ends records without end.
type source struct {
	back []byte
	r    io.Reader
	left int
}

func (s *source) Read(p []byte) (int, error) {
	if len(s.back) > 0 {
		n := copy(p, s.back)
		s.back = s.back[n:]
		return n, nil
	}
	if s.left <= 0 {
		return 0, errRecordLimit
	}
	n, err := s.r.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

// next skips white space, and returns what comes then without taking it.
func (s *source) next() (byte, error) {
	one := make([]byte, 1)
	for {
		s.left = recordLimit
		n, err := s.Read(one)
		if n == 0 && err != nil {
			return 0, err
		}
		if n > 0 && !unicode.IsSpace(rune(one[0])) {
			s.back = append([]byte{one[0]}, s.back...)
			return one[0], nil
		}
	}
}

// oneLine makes a text from elsewhere fit into an error.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:200]) + "…"
	}
	return text
}

func trimmed(b []byte) string { return oneLine(string(bytes.TrimSpace(b))) }
