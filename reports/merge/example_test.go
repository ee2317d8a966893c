package merge_test

import (
	"fmt"

	"lastport/reports/merge"
)

// Two shards of a fill become one result.
func ExampleShards() {
	whole, err := merge.Shards([]merge.Part{
		{From: "second", Run: shard(1, 2)},
		{From: "first", Run: shard(0, 2)},
	}, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(whole.Verdict.Text)
	_, err = merge.Shards([]merge.Part{{From: "first", Run: shard(0, 2)}}, false)
	fmt.Println(err)
	// Output:
	// 2 shards, begun within 50ms; 210 connections, as predicted
	// merge: shard 1/2 is missing
}
