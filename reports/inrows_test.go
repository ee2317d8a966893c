package reports

import (
	"fmt"
	"testing"
)

func TestInRows(t *testing.T) {
	for _, c := range []struct {
		list []string
		by   next
		want string
	}{
		{nil, endpoint, ""},
		{[]string{"198.18.0.1:1000"}, endpoint, "198.18.0.1:1000"},
		{[]string{"198.18.0.1:998", "198.18.0.1:999", "198.18.0.1:1000"}, endpoint, "198.18.0.1:998-1000"},
		{[]string{"198.18.0.1:1", "198.18.0.1:2", "198.18.0.2:3", "198.18.0.2:5"}, endpoint, "198.18.0.1:1-2, 198.18.0.2:3, 198.18.0.2:5"},
		{[]string{"[2001:2::1]:7", "[2001:2::1]:8"}, endpoint, "[2001:2::1]:7-8"},
		{[]string{"198.18.0.1:65535", "198.18.0.1:0"}, endpoint, "198.18.0.1:65535, 198.18.0.1:0"},
		{[]string{"2", "1"}, endpoint, "2, 1"},
		{[]string{"198.19.0.254", "198.19.0.255", "198.19.1.0"}, address, "198.19.0.254-198.19.1.0"},
		{[]string{"198.19.0.1", "198.19.0.3", "2001:2::1", "2001:2::2"}, address, "198.19.0.1, 198.19.0.3, 2001:2::1-2001:2::2"},
		{[]string{"x", "x"}, address, "x, x"},
	} {
		if got := inRows(c.list, c.by); got != c.want {
			t.Errorf("%q: %q, want %q", c.list, got, c.want)
		}
	}
}

func TestInRowsIsAsTheFlagsTakeIt(t *testing.T) {
	var list []string
	for port := 906; port <= 1000; port++ {
		list = append(list, fmt.Sprintf("198.18.0.1:%d", port))
	}
	if got := inRows(list, endpoint); got != "198.18.0.1:906-1000" {
		t.Error(got)
	}
}
