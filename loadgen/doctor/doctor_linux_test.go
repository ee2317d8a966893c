package doctor

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lastport/loadgen/kernel"
	"lastport/loadgen/kernel/nstest"
	"lastport/loadgen/ports"
	"lastport/reports/result"
)

// healthy is a host on which every check is fine.
func healthy() *Facts {
	f := &Facts{
		Kernel: "6.18.0", UID: 1000, CPUs: 4, HZ: 250,
		Memory:  Fact[int64]{Value: 8 << 30},
		NoFile:  Fact[NoFile]{Value: NoFile{20000, 20000}},
		Sysctls: make(map[string]Fact[string]),
	}
	for key, value := range map[string]string{
		keyNROpen: "1048576", keyFileMax: "2466170", keyFileNR: "449\t0\t2466170",
		keyRange: "32768\t60999", keyReserved: "", keyUnprivileged: "1024",
		keyTWReuse: "2", keyTWReuseDelay: "1000", keyTimestamps: "1", keyTWBuckets: "131072", keyFINTimeout: "60",
		keySomaxconn: "4096", keySYNBacklog: "4096",
		keyIOUring: "0", keyIPv6Off: "0", keyTracked: "0", keyTrackedMax: "262144", keyTrackedWait: "120",
		keyMaxUser: "96365", keyMaxNet: "96365",
	} {
		f.Sysctls[key] = Fact[string]{Value: value}
	}
	for _, key := range []string{keyUsernsClone, keyAppArmor, keyTWRecycle} {
		f.Sysctls[key] = Fact[string]{Err: fmt.Errorf("read sysctl %s: %w", key, fs.ErrNotExist)}
	}
	return f
}

func (f *Facts) put(key, value string) { f.Sysctls[key] = Fact[string]{Value: value} }
func (f *Facts) lose(key string, err error) {
	f.Sysctls[key] = Fact[string]{Err: fmt.Errorf("read sysctl %s: %w", key, err)}
}

func examined(t *testing.T, f *Facts, name string) result.Check {
	t.Helper()
	for _, c := range Examine(f).Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check is called %q", name)
	return result.Check{}
}

func TestHealthyHost(t *testing.T) {
	c := Examine(healthy())
	for _, check := range c.Checks {
		if check.Status != result.Fine || check.Blocks != "" {
			t.Errorf("%s: %+v", check.Name, check)
		}
	}
	if !c.Verdict.OK || c.Verdict.Text != "nothing is in the way of lastport here" {
		t.Errorf("verdict %+v", c.Verdict)
	}
	if got := *c.Predicted.Connections; got != (result.Interval{Min: 28232, Max: 28232}) {
		t.Errorf("connections %+v", got)
	}
	if r := *c.Predicted.RatePerS; int(r.Min) != 454 && int(r.Min) != 455 || int(r.Max) != 470 {
		t.Errorf("rate %+v, want 455 to 470", r)
	}
}

// TestNamesAreUnique: scripts find a check by its name.
func TestNamesAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range checks() {
		if seen[c.name] {
			t.Errorf("two checks are called %q", c.name)
		}
		seen[c.name] = true
	}
}

func ptr[T any](v T) *T { return &v }

func TestChecks(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name+", "+c.why, func(t *testing.T) {
			f := healthy()
			c.change(f)
			got := examined(t, f, c.name)
			if got.Status != c.status || !slices.Equal(got.Change, c.cmd) || !slices.Equal(got.Undo, c.undo) {
				t.Errorf("%+v\nwant status %s, change %q, undo %q", got, c.status, c.cmd, c.undo)
			}
			if !strings.Contains(strings.Join([]string{got.Found, got.Allows, got.Blocks, got.WayOut}, "\n"), c.says) {
				t.Errorf("%+v\ndoes not say %q", got, c.says)
			}
			wrong := c.status == result.Blocked || c.status == result.Falsifies
			if wrong && got.Blocks == "" {
				t.Errorf("%+v does not say what it blocks", got)
			}
			verdict := Examine(f).Verdict
			if wrong && (verdict.OK || !strings.Contains(verdict.Text, c.name)) {
				t.Errorf("verdict %+v does not name it", verdict)
			}
			// What one check could not learn may be another's block.
			if !wrong && !verdict.OK && c.status != result.Unread {
				t.Errorf("verdict %+v", verdict)
			}
		})
	}
}

// TestUnreadable: what cannot be read is said to be so, and nothing is taken
// for 0.
func TestUnreadable(t *testing.T) {
	f := &Facts{
		Memory: Fact[int64]{Err: errUnreadable}, Proc: errUnreadable, Place: Fact[Place]{Err: errUnreadable},
		NoFile: Fact[NoFile]{Err: errUnreadable}, Held: Fact[ports.Ranges]{Err: errUnreadable}, Use: Fact[Use]{Err: errUnreadable},
		SockStat: Fact[kernel.SockStat]{Err: errUnreadable}, Cgroup: Fact[kernel.Cgroup]{Err: errUnreadable},
		BootUnreadable: []string{"/etc/sysctl.d"},
		LocalPortRange: errUnreadable, BindNoPort: errUnreadable, IOUring: errUnreadable, IPv6: errUnreadable,
		Sysctls: make(map[string]Fact[string]),
	}
	for _, key := range Keys() {
		// As without /proc: a setting that the kernel may well have.
		f.lose(key, fs.ErrNotExist)
	}
	c := Examine(f)
	if c.Predicted != nil || c.Space != nil {
		t.Errorf("predicted %+v of nothing", c.Predicted)
	}
	for _, check := range c.Checks {
		switch check.Name {
		case "container":
			continue // no sign is no proof, and it says so
		case "proc", "private place", "IP_LOCAL_PORT_RANGE", "IP_BIND_ADDRESS_NO_PORT", "sock_diag", "io_uring", "IPv6":
			if check.Status != result.Blocked && check.Status != result.Noted {
				t.Errorf("%s: %+v", check.Name, check)
			}
		default:
			if check.Status != result.Unread || len(check.Change) > 0 {
				t.Errorf("%s: %+v", check.Name, check)
			}
		}
	}
	if c.Verdict.OK || !strings.Contains(c.Verdict.Text, "could not be learned") {
		t.Errorf("verdict %+v", c.Verdict)
	}
}

// TestOneUnreadableSetting leaves out of the prediction what rests on it.
func TestOneUnreadableSetting(t *testing.T) {
	f := healthy()
	f.lose(keyTWReuse, fs.ErrPermission)
	c := Examine(f)
	if c.Predicted.Connections == nil || c.Predicted.RatePerS != nil || c.Predicted.ReuseNS != nil {
		t.Errorf("predicted %+v", c.Predicted)
	}
	f = healthy()
	f.Held.Err = unix.EPERM
	if why := Examine(f).Predicted.Why; len(why) == 0 || !strings.Contains(why[0], "not known") {
		t.Errorf("why %q", why)
	}
	f = healthy()
	f.lose(keyReserved, fs.ErrPermission)
	if c := Examine(f); c.Predicted != nil {
		t.Errorf("predicted %+v", c.Predicted)
	}
}

// TestHere is a checkup of the host that the test runs on.
func TestHere(t *testing.T) {
	before := settings(t)
	f := Collect(childArg)
	if f.Place.Err != nil {
		nstest.Unavailable(t, f.Place.Err)
	}
	for _, key := range []string{keyRange, keyTWReuse, keyFileNR, keySomaxconn} {
		if f.Sysctls[key].Err != nil || f.Sysctls[key].Value == "" {
			t.Errorf("%s: %+v", key, f.Sysctls[key])
		}
	}
	if f.Proc != nil || f.Memory.Value <= 0 || f.NoFile.Value.Soft == 0 || f.CPUs == 0 || f.Kernel == "" {
		t.Errorf("%+v", f)
	}
	if after := settings(t); after != before {
		t.Errorf("settings are\n%s\nand were\n%s", after, before)
	}
}

// The tests of package place make links and rules here, so a checkup finds that
// it can.
func TestPartsOfPlacesHere(t *testing.T) {
	f := Collect(childArg)
	for _, err := range []error{f.Place.Err, f.Place.Value.Links, f.Place.Value.Translation, f.Place.Value.Firewall} {
		if err != nil {
			nstest.Unavailable(t, err)
		}
	}
	for _, name := range []string{"veth", "nftables NAT", "nftables filter"} {
		if c := examined(t, f, name); c.Status != result.Fine || c.Allows == "" {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func settings(t *testing.T) string {
	t.Helper()
	list, err := kernel.ListSysctls("net.ipv4", nil)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, s := range list {
		value, _ := kernel.ReadSysctl(s.Key) // some are root's alone
		fmt.Fprintf(&all, "%s=%s\n", s.Key, value)
	}
	return all.String()
}

func TestInPlaceAlone(t *testing.T) {
	if err := InPlace(); err == nil {
		t.Error("a process that nobody started set up a place")
	}
}
