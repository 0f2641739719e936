// Package fleeting_test holds the plugin to fleeting's contract: to its own suite,
// and to what it demands of a plugin without saying so.
package fleeting_test

import (
	"os"
	"testing"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

func TestMain(m *testing.M) { os.Exit(launch.Main(m)) }
