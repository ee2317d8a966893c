package conntrack

import (
	"testing"

	"lastport/loadgen/kernel/nstest"
)

func TestMain(m *testing.M) { nstest.Main(m) }
