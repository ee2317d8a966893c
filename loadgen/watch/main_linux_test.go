package watch

import (
	"os"
	"testing"

	"lastport/loadgen/kernel/nstest"
)

func TestMain(m *testing.M) { os.Exit(nstest.Run(m)) }
