package place

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// shelf is a store without a kernel. Keys in refuse cannot be written.
type shelf struct {
	values map[string]string
	refuse map[string]error
	check  func(key, value string) error
}

func (s shelf) read(key string) (string, error) {
	if value, ok := s.values[key]; ok {
		return value, nil
	}
	return "", fmt.Errorf("read sysctl %s: %w", key, unix.ENOENT)
}

func (s shelf) write(key, value string) error {
	if err := s.refuse[key]; err != nil {
		return fmt.Errorf("write sysctl %s=%s: %w", key, value, err)
	}
	if _, err := s.read(key); err != nil {
		return err
	}
	if s.check != nil {
		if err := s.check(key, value); err != nil {
			return err
		}
	}
	s.values[key] = value
	return nil
}

func (s shelf) list() []string { return slices.Sorted(maps.Keys(s.values)) }

func TestApplySettings(t *testing.T) {
	st := shelf{
		values: map[string]string{
			"net.ipv4.same": "1", "net.ipv4.copied": "1", "net.ipv4.kept": "1",
			"net.ipv4.tool": "1", "net.ipv4.both": "1", "net.ipv4.user": "1", "net.ipv4.unseen": "1", "net.ipv4.ashost": "1",
		},
		refuse: map[string]error{"net.ipv4.kept": unix.EPERM},
		check: func(key, value string) error {
			if key == "net.ipv4.both" && value == "3" {
				return unix.EINVAL // the tool's value, which the user's replaces
			}
			return nil
		},
	}
	report, err := applySettings(st, Spec{
		Host: Host{Settings: map[string]string{
			"net.ipv4.same": "1", "net.ipv4.copied": "2", "net.ipv4.kept": "2", "net.ipv4.hostonly": "2",
			"net.ipv4.tool": "2", "net.ipv4.both": "2", "net.ipv4.user": "2", "net.ipv4.ashost": "2",
		}},
		Tool: []Setting{{"net.ipv4.tool", "3", "the run's"}, {"net.ipv4.both", "3", "the run's"}, {"net.ipv4.ashost", "2", "the run's"}},
		User: map[string]string{"net.ipv4.both": "4", "net.ipv4.user": "4", "net.ipv4.unseen": "4"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Report{
		Sysctls: map[string]string{},
		Changed: map[string]Change{
			"net.ipv4.tool":   {"2", "3", "the run's"},
			"net.ipv4.both":   {"2", "4", "--sysctl"},
			"net.ipv4.user":   {"2", "4", "--sysctl"},
			"net.ipv4.unseen": {"1", "4", "--sysctl"},
		},
		Differs: map[string]Change{"net.ipv4.kept": {"2", "1", "the kernel refuses: operation not permitted"}},
	}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Error(diff)
	}
	if got := st.values["net.ipv4.copied"]; got != "2" {
		t.Errorf("the host's setting was not copied: %q", got)
	}
}

// Pairs that bound each other can be set from any state to any other, as
// ip_unprivileged_port_start and the low end of ip_local_port_range can.
func TestWriteAllOrder(t *testing.T) {
	const start, low = "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_port_range"
	rapid.Check(t, func(t *rapid.T) {
		pair := rapid.Custom(func(t *rapid.T) [2]int {
			first := rapid.IntRange(0, 100).Draw(t, "start")
			return [2]int{first, rapid.IntRange(first, 100).Draw(t, "low")}
		})
		from, to := pair.Draw(t, "from"), pair.Draw(t, "to")
		st := shelf{values: map[string]string{start: strconv.Itoa(from[0]), low: strconv.Itoa(from[1])}}
		st.check = func(key, value string) error {
			after := maps.Clone(st.values)
			after[key] = value
			s, _ := strconv.Atoi(after[start])
			l, _ := strconv.Atoi(after[low])
			if s > l {
				return unix.EINVAL
			}
			return nil
		}
		refusals := writeAll(st, []Setting{{Key: low, Value: strconv.Itoa(to[1])}, {Key: start, Value: strconv.Itoa(to[0])}})
		if len(refusals) != 0 {
			t.Fatalf("from %v to %v: %v", from, to, refusals)
		}
	})
}

func TestReadOnlyProc(t *testing.T) {
	key := "net.ipv4.tcp_tw_reuse"
	st := shelf{values: map[string]string{key: "2"}, refuse: map[string]error{key: unix.EROFS}}
	const way = "start the container with --privileged, or with --security-opt systempaths=unconfined"
	for name, spec := range map[string]Spec{
		"tool": {Tool: []Setting{{key, "1", "the run's"}}},
		"user": {User: map[string]string{key: "1"}},
	} {
		_, err := applySettings(st, spec)
		f := faultOf(err)
		if !errors.Is(err, unix.EROFS) || f.Usage || f.Hint != way {
			t.Errorf("%s's setting: %+v, want the hint %q", name, f, way)
		}
	}
}

func TestReadOnlyKey(t *testing.T) {
	key := "net.netfilter.nf_conntrack_max"
	st := shelf{values: map[string]string{key: "262144"}, refuse: map[string]error{key: unix.EACCES}}
	_, err := applySettings(st, Spec{User: map[string]string{key: "1"}})
	f := faultOf(err)
	if want := "--sysctl net.netfilter.nf_conntrack_max=1: read-only in a private place (permission denied)"; f.Err != want || !f.Usage {
		t.Errorf("%+v, want wrong usage %q", f, want)
	}
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v does not wrap the kernel's error", err)
	}
}

func TestParseSetting(t *testing.T) {
	for in, want := range map[string]Setting{
		"net.ipv4.tcp_tw_reuse=1":                {"net.ipv4.tcp_tw_reuse", "1", "--sysctl"},
		" net/ipv4/tcp_tw_reuse = 1 ":            {"net.ipv4.tcp_tw_reuse", "1", "--sysctl"},
		"net.ipv4.ip_local_port_range=5000 6000": {"net.ipv4.ip_local_port_range", "5000 6000", "--sysctl"},
		"net.ipv4.ip_local_reserved_ports=":      {"net.ipv4.ip_local_reserved_ports", "", "--sysctl"},
		"net/ipv4/conf/eth0.1/rp_filter=0":       {"net.ipv4.conf.eth0/1.rp_filter", "0", "--sysctl"},
	} {
		if got, err := ParseSetting(in); err != nil || got != want {
			t.Errorf("ParseSetting(%q) = %+v, %v, want %+v", in, got, err, want)
		}
	}
	for in, says := range map[string]string{
		"":                             "not KEY=VALUE",
		"net.ipv4.tcp_tw_reuse":        "not KEY=VALUE",
		"=1":                           "not a name",
		"net..tcp=1":                   "not a name",
		"net/../kernel/panic=1":        "not a name",
		"net.//.kernel.panic=1":        "not a name",
		"/net/ipv4/tcp_tw_reuse=1":     "not a name",
		"kernel.panic=1":               "only settings of net.",
		"network.ipv4.tcp_tw_reuse=1":  "only settings of net.",
		"net=1":                        "only settings of net.",
		"fs/file-max=1":                "only settings of net.",
		"net/ipv4/tcp_tw_reuse\x00x=1": "not a name",
	} {
		got, err := ParseSetting(in)
		if f := faultOf(err); !f.Usage || !strings.Contains(f.Err, says) {
			t.Errorf("ParseSetting(%q) = %+v, %v, want wrong usage that says %q", in, got, err, says)
		}
	}
	_, err := ParseSetting("tcp_tw_reuse=1")
	if got := faultOf(err).Hint; got != "--sysctl net.ipv4.tcp_tw_reuse=1" {
		t.Errorf("the hint for a key without its tree is %q", got)
	}
}

func TestNearest(t *testing.T) {
	st := shelf{values: map[string]string{"net.ipv4.tcp_tw_reuse": "", "net.ipv4.tcp_fin_timeout": "", "net.core.somaxconn": ""}}
	for key, want := range map[string]string{
		"net.ipv4.tcp_tw_resue": "net.ipv4.tcp_tw_reuse",
		"net.ipv4.somaxconn":    "net.core.somaxconn",
		"net.ipv4.tcp_tw_re":    "net.ipv4.tcp_tw_reuse", // it is begun
		"net.a":                 "",
		"":                      "",
	} {
		if got := nearest(key, st); got != want {
			t.Errorf("nearest(%q) = %q, want %q", key, got, want)
		}
	}
}
