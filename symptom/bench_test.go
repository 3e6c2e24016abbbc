package symptom

import (
	"strings"
	"testing"
)

// BenchmarkLoad is what the first text pays.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := readTables(files); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLog explains a log of the greatest length.
func BenchmarkLog(b *testing.B) {
	line := "2026/03/02 10:00:00 [info] 7#7: *1 SSL_do_handshake() failed (SSL: error:0A0000C1:SSL routines::no shared cipher) while SSL handshaking, client: 192.0.2.7\n"
	text := strings.Repeat(line, MaxText/len(line))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		Explain(text)
	}
}
