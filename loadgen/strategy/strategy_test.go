package strategy

import (
	"errors"
	"slices"
	"testing"

	"lastport/loadgen/ports"
)

func space(t *testing.T, spec string) Space {
	t.Helper()
	set, err := ports.Parse(spec)
	if err != nil {
		t.Fatal(err)
	}
	return Space{Ranges: set}
}

func TestChoices(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		want       Choice
		traits     Traits
	}{
		{"connect", "40000-40999", Choice{}, Traits{Step: 2}},
		{"connect", "40000", Choice{}, Traits{Step: 2}},
		{"socket-range", "40000-40999", Choice{Window: ports.Range{Low: 40000, High: 40999}}, Traits{Step: 1, Windowed: true}},
		{"socket-range", "40000", Choice{Window: ports.Range{Low: 40000, High: 40000}}, Traits{Step: 1, Windowed: true}},
		{"socket-range", "41000-41999,40000", Choice{Window: ports.Range{Low: 40000, High: 41999}}, Traits{Step: 1, Windowed: true}},
	} {
		s, err := New(c.name, space(t, c.spec))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if s.Traits() != c.traits {
			t.Errorf("%s: traits %+v", c.name, s.Traits())
		}
		for range 3 { // the kernel chooses, so no choice moves
			if got, ok := s.Worker(0).Choose(Attempt{}); got != c.want || !ok {
				t.Errorf("%s of %s: %+v, want %+v", c.name, c.spec, got, c.want)
			}
		}
	}
}

// What holds for every strategy, those to come included.
func TestEveryStrategy(t *testing.T) {
	for _, name := range Names() {
		s, err := New(name, space(t, "40000-40999"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if step := s.Traits().Step; step != 1 && step != 2 {
			t.Errorf("%s: step %d", name, step)
		}
		if c, _ := s.Worker(0).Choose(Attempt{}); (c.Port != 0) != s.Traits().Explicit {
			t.Errorf("%s: chose port %d, explicit is %v", name, c.Port, s.Traits().Explicit)
		}
		w := s.Worker(0)
		if n := testing.AllocsPerRun(100, func() { w.Choose(Attempt{}) }); n != 0 {
			t.Errorf("%s: %v allocations a choice", name, n)
		}
		if _, err := New(name, Space{}); err == nil {
			t.Errorf("%s: made without ports", name)
		}
	}
}

func TestUnknownName(t *testing.T) {
	for name, hint := range map[string]string{
		"conect":       "--strategy connect",
		"socket":       "--strategy socket-range",
		"socket_range": "--strategy socket-range",
		"":             "--strategy connect",
		"round-robin":  "--strategy connect",
	} {
		_, err := New(name, space(t, "40000"))
		var usage interface {
			Hint() string
			Usage() bool
		}
		if !errors.As(err, &usage) || !usage.Usage() || usage.Hint() != hint {
			t.Errorf("New(%q): %v; want wrong usage with the hint %q", name, err, hint)
		}
	}
	_, err := New("conect", space(t, "40000"))
	if want := `strategy "conect": not one of connect, socket-range`; err == nil || err.Error() != want {
		t.Errorf("New: %v; want %s", err, want)
	}
}

func TestNamesAreTheCallersOwn(t *testing.T) {
	Names()[0] = "changed"
	if slices.Contains(Names(), "changed") {
		t.Error("a caller can rename a strategy")
	}
}
