package azure_test

import (
	"os"
	"testing"

	"gitlab.com/fleeting-azure/fleeting-plugin-azure/test/launch"
)

func TestMain(m *testing.M) { os.Exit(launch.Main(m)) }
