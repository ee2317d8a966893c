package loadgen

import "testing"

// The hint does not name what the run does already.
func TestOverflowHint(t *testing.T) {
	const longer = "--sysctl net.core.somaxconn=65535"
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{Ends: EndsApart, Workers: 2}, "--ends together, or " + longer},
		{Config{Ends: EndsTogether, Workers: 2}, "fewer --workers, or " + longer},
		{Config{Ends: EndsTogether, Workers: 1}, longer},
	} {
		if got := (&run{cfg: &c.cfg}).overflowHint(); got != c.want {
			t.Errorf("%v with %d workers: %q, want %q", c.cfg.Ends, c.cfg.Workers, got, c.want)
		}
	}
}
