package reports

import (
	"testing"

	"lastport/reports/result"
)

func named4(scenario, strategy, closeMode, mode, rate string) *result.Result {
	return &result.Result{
		Run:    result.Run{ID: "7f3a", Scenario: scenario},
		Config: result.Config{Strategy: strategy, Close: closeMode, Mode: mode, Rate: rate, RangeName: "linux", Range: "32768-60999", Place: "private"},
	}
}
