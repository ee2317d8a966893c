//go:build !linux

package main

// readPlanHost knows no host: only Linux has the settings of a plan.
func readPlanHost() planHost { return planHost{} }
