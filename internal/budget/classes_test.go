package budget

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestClassesAreLimited(t *testing.T) {
	for _, c := range Classes() {
		_, limited := limitOf(c)
		assert.True(t, limited, c)
	}
}
