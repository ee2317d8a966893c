package diag_test

import (
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel/diag"
)

func ExampleTCP() {
	listener, err := net.Listen("tcp4", "127.0.0.1:3999")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close() //nolint:errcheck // nothing was sent

	err = diag.TCP(unix.AF_INET, diag.Of(diag.Listen), func(s *diag.Socket) {
		if s.Local.Port() == 3999 {
			fmt.Println(s.State, s.Local)
		}
	})
	fmt.Println(err)
	// Output:
	// LISTEN 127.0.0.1:3999
	// <nil>
}
