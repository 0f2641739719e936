package arm

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/armsim/internal/world"
)

// TestReferenceNamesEveryOperation keeps the page's table in step with the
// routes: the same operations, in the same order, under the same paths.
func TestReferenceNamesEveryOperation(t *testing.T) {
	page, err := os.ReadFile("../../../docs/reference/armsim.md")
	require.NoError(t, err)
	var documented, simulated []string
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) > 3 && strings.Contains(cells[1], "_") {
			documented = append(documented, strings.TrimSpace(cells[1])+" "+strings.TrimSpace(cells[2]))
		}
	}
	short := strings.NewReplacer(instancePath, "VM", setPath, "SET", machinePath, "MACHINE", vnetPath, "VNET", groupPath, "GROUP", subscriptionPath, "SUB", "/{scope}", "SCOPE")
	for _, r := range newRoutes() {
		simulated = append(simulated, "`"+r.operation+"` `"+r.method+" "+short.Replace(r.pattern)+"`")
	}
	assert.Equal(t, simulated, documented)
}

// TestReferenceNamesEveryUnknown, in the order of the switches.
func TestReferenceNamesEveryUnknown(t *testing.T) {
	page, err := os.ReadFile("../../../docs/reference/armsim.md")
	require.NoError(t, err)
	_, questions, _ := strings.Cut(string(page), "## Open questions")
	questions, _, _ = strings.Cut(questions, "## ")
	var documented []string
	for line := range strings.Lines(questions) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			documented = append(documented, name)
		}
	}
	assert.Equal(t, world.UnknownNames(), documented)
}
