package server_test

import (
	"fmt"
	"net/netip"
	"syscall"

	"lastport/loadgen/kernel"
	"lastport/server"
)

// One thread opens, accepts and closes.
func Example_together() {
	listener, err := server.New(server.Config{
		Addrs:    []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Together: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	end := listener.NewEnd(0)
	to := kernel.NewSockaddr(listener.Addrs()[0])
	for range 3 {
		client, _ := kernel.StreamSocket(to.Family())
		_ = kernel.Connect(client, &to) // loopback: the connection waits when this returns
		conn, _, errno := end.Accept()
		if errno != 0 {
			fmt.Println("accept:", errno)
			return
		}
		end.Shut(conn, true)
		_ = kernel.CloseFD(client)
	}
	seen := listener.Stats()
	fmt.Println(seen.Accepted, "accepted,", *seen.Closed, "closed")
	fmt.Println("close:", listener.Close())
	// Output:
	// 3 accepted, 3 closed
	// close: <nil>
}

// Threads of the listener's own accept, and close first when they are told to.
func Example_apart() {
	listener, err := server.New(server.Config{
		Addrs:       []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		ServerFirst: true,
		Keep:        true,
		Connections: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := listener.Start(); err != nil {
		fmt.Println(err)
		return
	}
	to := kernel.NewSockaddr(listener.Addrs()[0])
	client, _ := kernel.StreamSocket(to.Family())
	_ = kernel.Connect(client, &to)
	fmt.Println("drain:", listener.Drain())
	n, errno := kernel.Read(client, make([]byte, 1))
	fmt.Println("the client reads the end of the stream:", n == 0 && errno == 0)
	_ = kernel.CloseFD(client)
	fmt.Println("close:", listener.Close())
	// Output:
	// drain: <nil>
	// the client reads the end of the stream: true
	// close: <nil>
}

// A request is a byte 1 and so is its answer.
func ExampleEnd_Answer() {
	listener, err := server.New(server.Config{
		Addrs:    []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Together: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	end := listener.NewEnd(0)
	to := kernel.NewSockaddr(listener.Addrs()[0])
	client, _ := kernel.StreamSocket(to.Family())
	_ = kernel.Connect(client, &to)
	conn, _, _ := end.Accept()
	fmt.Println("before a request:", end.Answer(conn) == syscall.EAGAIN)
	_ = kernel.WriteByte(client, 1)
	fmt.Println("a request:", end.Answer(conn) == 0)
	answer := make([]byte, 1)
	_, _ = kernel.Read(client, answer)
	fmt.Println("its answer:", answer[0], "requests:", listener.Stats().Requests)
	_ = kernel.CloseFD(client)
	fmt.Println("after the close:", end.Answer(conn) == syscall.EPIPE)
	end.Shut(conn, false)
	fmt.Println("close:", listener.Close())
	// Output:
	// before a request: true
	// a request: true
	// its answer: 1 requests: 1
	// after the close: true
	// close: <nil>
}

// Over UDP an opening is a datagram of one byte 2, and so is its answer.
func ExampleEnd_Serve() {
	listener, err := server.New(server.Config{
		Addrs:    []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		UDP:      true,
		Together: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	end := listener.NewEnd(0)
	to := kernel.NewSockaddr(listener.Addrs()[0])
	client, _ := kernel.DatagramSocket(to.Family())
	_ = kernel.Connect(client, &to)
	_ = kernel.WriteByte(client, 2)
	end.Serve()
	answer := make([]byte, 1)
	_, _ = kernel.Read(client, answer)
	seen := listener.Stats()
	fmt.Println("its answer:", answer[0], "accepted:", seen.Accepted, "closes are told:", seen.Closed != nil)
	_ = kernel.CloseFD(client)
	fmt.Println("close:", listener.Close())
	// Output:
	// its answer: 130 accepted: 1 closes are told: false
	// close: <nil>
}
