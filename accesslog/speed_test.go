package accesslog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRead reads lines of each format on one processor: as many clients, agents and names as a busy site has.
func BenchmarkRead(b *testing.B) {
	for _, c := range []struct{ name, line string }{
		{"alb", sampleALB}, {"alb-connections", sampleSuccess}, {"nlb", sampleNLB}, {"classic", sampleClassic}, {"haproxy", sampleHTTPSLog},
		{"json", sampleJSON}, {"key-value", sampleKeyValue},
	} {
		b.Run(c.name, func(b *testing.B) {
			var text bytes.Buffer
			for i := range 100_000 {
				address := fmt.Sprintf("203.0.%d.%d", i%5000/256, i%256)
				line := strings.NewReplacer("203.0.113.44", address, "203.0.113.9", address, "127.0.0.1", address, "okhttp/3.12.1",
					fmt.Sprintf("Mozilla/5.0 (X11; Linux x86_64; rv:%d) Gecko/20100101 Firefox/%d", i%50, i%50)).Replace(c.line)
				text.WriteString(line + "\n")
			}
			b.SetBytes(int64(text.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if f := NewReader(Options{}).Read("x", bytes.NewReader(text.Bytes())); f.Bad != 0 {
					b.Fatal(f.Warning())
				}
			}
		})
	}
}
