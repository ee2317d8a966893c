package kernel_test

import (
	"fmt"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
)

// What a thread opens is in its own descriptor table, and closed with it.
func ExampleThread() {
	thread, err := kernel.NewThread()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer thread.Close()
	opened := 0
	thread.Do(func() {
		for range 10 {
			if _, errno := kernel.StreamSocket(unix.AF_INET); errno == 0 {
				opened++
			}
		}
	})
	fmt.Println(opened, "sockets, room for them:", thread.Free() >= opened)
	// Output: 10 sockets, room for them: true
}
