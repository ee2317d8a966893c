package place_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/netip"
	"os"

	"lastport/loadgen/place"
)

func ExampleParseSetting() {
	s, err := place.ParseSetting("net/ipv4/tcp_tw_reuse=1")
	fmt.Println(s.Key, s.Value, err)

	_, err = place.ParseSetting("tcp_tw_reuse=1")
	fmt.Println(err)
	var hinter interface{ Hint() string }
	if errors.As(err, &hinter) {
		fmt.Println("hint:", hinter.Hint())
	}
	// Output:
	// net.ipv4.tcp_tw_reuse 1 <nil>
	// sysctl tcp_tw_reuse: only settings of net. belong to a run, all others to the whole machine
	// hint: --sysctl net.ipv4.tcp_tw_reuse=1
}

// The parent's side.
func ExampleStart() {
	child, err := place.Start(place.Options{
		Args:    []string{"run-inside"},
		Request: []byte(`{"range":"40000-40999"}`),
		Stderr:  os.Stderr,
	})
	if err != nil {
		log.Fatal(err)
	}
	frames, err := io.ReadAll(child.Frames)
	fmt.Println(len(frames), err, child.Wait())
}

// The child's side.
func ExampleSetup() {
	parent, err := place.Join()
	if err != nil {
		log.Fatal(err)
	}
	host := place.Host{} // from parent.Request, as the parent's ReadHost made it
	report, err := place.Setup(place.Spec{
		Host:      host,
		Tool:      []place.Setting{{Key: "net.ipv4.ip_local_port_range", Value: "40000 40999", Why: "the range asked for"}},
		Addresses: []netip.Prefix{netip.MustParsePrefix("198.18.0.1/32")},
	})
	_, _ = fmt.Fprintln(parent.Frames, report.Changed, err)
}
