package result

import (
	"errors"
	"testing"
)

// A share that its field cannot have would make a gate that never fails, or always.
func TestExpectRefusesSharesThatCannotBe(t *testing.T) {
	for expr, hint := range map[string]string{
		"cost.host_busy<80":             "--expect 'cost.host_busy<80%'",
		"observer.share<=5":             "--expect 'observer.share<=5%'",
		"observer.share<=500":           "--expect 'observer.share<=2%'",
		"survey.targets.same_step<101%": "--expect 'survey.targets.same_step<2%'",
		"cost.tool_share>-1%":           "--expect 'cost.tool_share>2%'",
		"residual.rate>=-2":             "--expect 'residual.rate>=-2%'",
		"residual.rate<=5":              "--expect 'residual.rate<=5%'",
		"residual.reuse>-101%":          "--expect 'residual.reuse>2%'",
	} {
		_, err := ParseExpect(expr)
		var e *ExpectError
		if !errors.As(err, &e) || e.Hint() != hint {
			t.Errorf("%q: %v, want the hint %s", expr, err, hint)
			continue
		}
		if _, err := ParseExpectChange(expr); !errors.As(err, &e) || e.Hint() != hint {
			t.Errorf("a change, %q: %v, want the hint %s", expr, err, hint)
		}
	}
	for _, expr := range []string{
		"cost.host_busy<=1", "cost.host_busy<100%", "observer.share>=0", "residual.rate>=-1", "residual.rate<=-0.5", "residual.rate<=500%",
		"residual.reuse<1", "connections>=28232",
	} {
		if _, err := ParseExpect(expr); err != nil {
			t.Error(err)
		}
	}
}
