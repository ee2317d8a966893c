package nstest

import (
	"net"
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

func TestNamespaceIsPrivateAndFurnished(t *testing.T) {
	links, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	if len(links) != 1 || links[0].Name != "lo" {
		t.Errorf("links %v, want lo alone: this is not a namespace of its own", links)
	}
	for _, addr := range []string{Addr, Addr6} {
		listener, err := net.Listen("tcp", net.JoinHostPort(addr, "80"))
		if err != nil {
			t.Fatalf("listen on %s: %v", addr, err)
		}
		defer listener.Close() //nolint:errcheck // nothing was sent
	}
	somaxconn, err := os.ReadFile("/proc/sys/net/core/somaxconn")
	if err != nil || strings.TrimSpace(string(somaxconn)) != "65535" {
		t.Errorf("somaxconn %q, %v, want 65535", somaxconn, err)
	}
}

func TestFurnishTwice(t *testing.T) {
	if err := furnish(); err != nil {
		t.Error(err)
	}
}

func TestRefuse(t *testing.T) {
	for env, want := range map[string]int{"1": 1, "": 0} {
		t.Setenv(requireEnv, env)
		var said strings.Builder
		if got := refuse(&said, os.ErrPermission); got != want {
			t.Errorf("%s=%q: status %d, want %d", requireEnv, env, got, want)
		}
		if !strings.Contains(said.String(), os.ErrPermission.Error()) {
			t.Errorf("%s=%q: said %q, which does not name the cause", requireEnv, env, said.String())
		}
	}
}
