package ports

import (
	"testing"
	"time"
)

// The rows of docs/method.md: name, ports, size, reuse time.
func TestProfiles(t *testing.T) {
	for _, c := range []struct {
		names     []string
		ports     string
		size      int
		reuse     time.Duration
		perTarget int
	}{
		{[]string{"linux"}, "32768-60999", 28232, 60 * time.Second, 0},
		{[]string{"linux-legacy"}, "32768-61000", 28233, 60 * time.Second, 0},
		{[]string{"iana", "windows"}, "49152-65535", 16384, 120 * time.Second, 0},
		{[]string{"macos"}, "49152-65535", 16384, 30 * time.Second, 0},
		{[]string{"windows-xp"}, "1025-5000", 3976, 240 * time.Second, 0},
		{[]string{"aws-nat", "aws-elb"}, "1024-65535", 64512, 0, 55_000},
		{[]string{"azure-nat"}, "1024-65535", 64512, 65 * time.Second, 50_000},
		{[]string{"gcp-nat"}, "1024-65535", 64512, 120 * time.Second, 0},
		{[]string{"freebsd"}, "10000-65535", 55536, 60 * time.Second, 0},
		{[]string{"all"}, "1024-65535", 64512, 0, 0},
	} {
		for _, name := range c.names {
			p, ok := Lookup(name)
			if !ok {
				t.Errorf("no profile %q", name)
				continue
			}
			if p.Name != c.names[0] || p.Ranges.String() != c.ports || p.Ranges.Size() != c.size || p.Reuse != c.reuse || p.PerTarget != c.perTarget {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
	if p, ok := Lookup("solaris"); ok {
		t.Errorf("solaris: %+v", p)
	}
}

// A name that began with a digit would be read as a port, and one with a comma
// as two.
func TestProfileNamesCanBeTyped(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Profiles() {
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			if got, err := Parse(name); err != nil || got.String() != p.Ranges.String() {
				t.Errorf("Parse(%q) = %v, %v", name, got, err)
			}
			if seen[name] {
				t.Errorf("%q names two profiles", name)
			}
			seen[name] = true
		}
	}
}
