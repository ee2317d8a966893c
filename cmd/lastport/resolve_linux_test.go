package main

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func TestResolveTargets(t *testing.T) {
	find := func(_ context.Context, network, name string) ([]netip.Addr, error) {
		known := map[string]string{"one": "192.0.2.1", "two": "192.0.2.9 192.0.2.2 ::ffff:192.0.2.2", "none": "", "local": "fe80::1%lo fe80::1%1"}
		text, ok := known[name]
		if !ok {
			return nil, errors.New("no such host")
		}
		var list []netip.Addr
		for _, word := range strings.Fields(text) {
			list = append(list, netip.MustParseAddr(word))
		}
		if network == "ip6" {
			return nil, nil
		}
		return list, nil
	}
	for _, test := range []struct {
		target, resolve string
		v6              bool
		want, err       string
	}{
		{target: "192.0.2.7:1-3", want: "192.0.2.7:1-3"},
		{target: "[fe80::1%eth0]:1", want: "[fe80::1%eth0]:1"},
		{target: "one:1-3", want: "192.0.2.1:1-3"},
		{target: "two:1", err: "it has 2 addresses, 192.0.2.2, 192.0.2.9, and a run is against one of them"},
		{target: "two:1", resolve: "192.0.2.9", want: "192.0.2.9:1"},
		{target: "two:1", resolve: "192.0.2.3", err: "--resolve 192.0.2.3: two is 192.0.2.2, 192.0.2.9"},
		{target: "two:1", resolve: "two", err: `--resolve "two": want an address in numbers`},
		{target: "one:1", v6: true, err: "it has no address"},
		{target: "nil:1", err: "--target nil: no such host"},
		{target: "local:1", want: "[fe80::1%lo]:1"},
		{target: "local:1", resolve: "fe80::1%1", want: "[fe80::1%lo]:1"},
		{target: "192.0.2.7:1", resolve: "192.0.2.7", err: "no --target is a name"},
	} {
		f := runFlags{targets: []string{test.target}, resolve: test.resolve, v6: test.v6}
		got, err := f.resolveTargets(find)
		switch {
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%+v: %v, want %q", test, err, test.err)
		case test.err != "":
			if hint, ok := err.(interface{ Hint() string }); !ok || hint.Hint() == "" {
				t.Errorf("%+v: %v has no hint", test, err)
			}
		case test.err == "" && (err != nil || got[0] != test.want):
			t.Errorf("%+v: %v, %v", test, got, err)
		}
	}
}
