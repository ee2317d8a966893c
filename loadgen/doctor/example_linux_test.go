package doctor_test

import (
	"fmt"
	"io/fs"

	"lastport/loadgen/doctor"
)

// A host of which almost nothing can be read.
func ExampleExamine() {
	f := &doctor.Facts{Proc: fs.ErrNotExist, Sysctls: map[string]doctor.Fact[string]{
		"net.ipv4.ip_local_port_range":     {Value: "40000\t40100"},
		"net.ipv4.ip_local_reserved_ports": {Value: "40050"},
	}}
	checkup := doctor.Examine(f)
	fmt.Println(checkup.Predicted.Connections.Min, "to", checkup.Predicted.Connections.Max, "connections")
	fmt.Println(checkup.Checks[0].Status, checkup.Checks[0].Change)
	// Output:
	// 99 to 100 connections
	// blocks [sudo mount -t proc proc /proc]
}
