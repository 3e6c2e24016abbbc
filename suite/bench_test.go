package suite

import "testing"

func BenchmarkByCode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if ByCode(0xC02F) == nil {
			b.Fatal("no suite")
		}
	}
}

func BenchmarkStrengthOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if StrengthOf(0xC02F) != Recommended {
			b.Fatal("wrong")
		}
	}
}

// BenchmarkLoad is what every command pays once.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		load()
	}
}
