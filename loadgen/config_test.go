package loadgen

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"lastport/reports/result"
)

// What a strategy was asked for beyond its name is in the result, and nothing that
// another strategy would have been asked for.
func TestEchoHasTheNumbersOfTheStrategy(t *testing.T) {
	moves := func(n int) *int { return &n }
	for _, test := range []struct {
		name string
		of   Config
		want result.Config
	}{
		{"window", Config{WindowSize: 100, WindowMoves: 3, Tradeoff: 77}, result.Config{WindowSize: 100, WindowMoves: moves(3)}},
		{"window", Config{}, result.Config{WindowMoves: moves(0)}},
		{"random-increment", Config{WindowMoves: 3, Tradeoff: 77}, result.Config{Tradeoff: 77}},
		{"random-increment", Config{}, result.Config{Tradeoff: 500}},
		{"connect", Config{WindowSize: 100, WindowMoves: 3, Tradeoff: 77}, result.Config{}},
	} {
		test.of.Strategy = test.name
		echo := test.of.Echo()
		got := result.Config{WindowSize: echo.WindowSize, WindowMoves: echo.WindowMoves, Tradeoff: echo.Tradeoff}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s of %+v (-want +got):\n%s", test.name, test.of, diff)
		}
	}
}
