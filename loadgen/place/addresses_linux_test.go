package place

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An address that was added is the host's own from then on: what is sent to it
// arrives, and is not lost until a worker of the kernel has seen to it.
func TestAddressesAreLocalAtOnce(t *testing.T) {
	requireNamespaces(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVar+"="+roleAdder)
	cmd.SysProcAttr = asRootInside(unix.CLONE_NEWUSER | unix.CLONE_NEWNET)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// playAdder adds addresses and looks at the route to each at once.
func playAdder() error {
	lo, err := bringUp("lo")
	if err != nil {
		return err
	}
	for i := range 50 {
		for _, format := range []string{"2001:2::1:%x/128", "198.18.1.%d/32"} {
			prefix := netip.MustParsePrefix(fmt.Sprintf(format, i+1))
			if err := addAddress(lo, prefix); err != nil {
				return err
			}
			routes, err := netlink.RouteGet(prefix.Addr().AsSlice())
			if err != nil {
				return err
			}
			if len(routes) == 0 || routes[0].Type != unix.RTN_LOCAL {
				return fmt.Errorf("route to %s: %v", prefix, routes)
			}
		}
	}
	return nil
}
