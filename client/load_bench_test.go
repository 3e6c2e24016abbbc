package client

import "testing"

// BenchmarkLoad reads every profile as the first command of a process does.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if len(load().all) == 0 {
			b.Fatal("no profiles")
		}
	}
}
