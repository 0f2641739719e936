package armerr

import (
	"fmt"
	"slices"
	"strings"
)

// Join combines errors into one error of one line, whose kind is that of the first.
// Nil errors are left out; without any other the result is nil.
func Join(all ...error) error {
	all = slices.DeleteFunc(slices.Clone(all), func(err error) bool { return err == nil })
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return joined(all)
}

type joined []error

// Error names the first few: a batch may fail once for each instance.
func (j joined) Error() string {
	const shown = 3
	var all []string
	for _, err := range j[:min(shown, len(j))] {
		all = append(all, err.Error())
	}
	if more := len(j) - shown; more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(all, "; ")
}

// Unwrap returns all of them.
func (j joined) Unwrap() []error { return j }
