// Package recordings reads recorded traffic of Azure Resource Manager and
// derives from it what a test may keep: templates of paths, JSON paths and
// types, statuses and header names, and none of the recorded values.
package recordings

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Recording is a file of recorded exchanges.
type Recording struct {
	Name    string  `json:"-"` // of the file, less its extension
	Entries []Entry `json:"entries"`
}

// Entry is one recorded exchange.
type Entry struct {
	Index           Index          `json:"index"`
	Method          string         `json:"method"`
	URL             string         `json:"url"`
	Status          int            `json:"status"`
	RequestHeaders  map[string]any `json:"requestHeaders"`
	RequestBody     any            `json:"requestBody"`
	ResponseHeaders map[string]any `json:"responseHeaders"`
	ResponseBody    any            `json:"responseBody"`
}

// Index is an exchange's place in what it was recorded in; who wrote one down by hand
// may have put words there, or nothing: then it is 0.
type Index int

// UnmarshalJSON implements json.Unmarshaler.
func (i *Index) UnmarshalJSON(raw []byte) error {
	var n int
	if json.Unmarshal(raw, &n) == nil {
		*i = Index(n)
	}
	return nil
}

// Load reads all recordings of directories, each in the order of their names.
func Load(dirs ...string) ([]Recording, error) { return LoadOnly("", dirs...) }

// LoadOnly is Load for the recordings whose names begin with one of the numbers,
// which are separated by commas; none: all of them.
func LoadOnly(numbers string, dirs ...string) ([]Recording, error) {
	var files []string
	for _, dir := range dirs {
		found, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			return nil, fmt.Errorf("load recordings: %w", err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("load recordings: no *.json in %q", dir)
		}
		files = append(files, found...)
	}
	var all []Recording
	for _, file := range files {
		number, _, _ := strings.Cut(filepath.Base(file), "-")
		if numbers != "" && !slices.Contains(strings.Split(numbers, ","), number) {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("load recordings: %w", err)
		}
		r := Recording{Name: strings.TrimSuffix(filepath.Base(file), ".json")}
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, fmt.Errorf("load recordings: %s: %w", file, err)
		}
		all = append(all, r)
	}
	return all, nil
}

// header reads a header in any case; recorders write texts or lists.
func header(headers map[string]any, name string) string {
	for key, value := range headers {
		if !strings.EqualFold(key, name) {
			continue
		}
		if all, ok := value.([]any); ok && len(all) > 0 {
			value = all[0]
		}
		s, _ := value.(string)
		return s
	}
	return ""
}

// operation is the ID of the operation that a response started, if any.
func (e Entry) operation() string {
	for _, name := range []string{"azure-asyncoperation", "location"} {
		u, err := url.Parse(header(e.ResponseHeaders, name))
		if err != nil {
			continue
		}
		if id := operationID(u.Path); id != "" {
			return id
		}
	}
	return ""
}

// body is the recorded JSON at a dotted path of objects.
func body(v any, path ...string) string {
	for _, key := range path {
		o, _ := v.(map[string]any)
		v = o[key]
	}
	s, _ := v.(string)
	return s
}
