package kernel_test

import (
	"fmt"

	"lastport/loadgen/kernel"
)

func ExampleReadSysctl() {
	system, err := kernel.ReadSysctl("kernel.ostype")
	fmt.Println(system, err)
	_, err = kernel.ReadSysctl("net/ipv4/tcp_tw_resue")
	fmt.Println(err)
	// Output:
	// Linux <nil>
	// read sysctl net/ipv4/tcp_tw_resue: no such file or directory
}
