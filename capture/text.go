package capture

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/parley-tls/parley/follow"
)

// isText reports whether b is printable ASCII with white space throughout.
func isText(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return true
}

// decodeHex reads hex as people and programs write it: digits in a row or in groups, with white space,
// colons, commas, 0x or \x between them; with offsets before and characters after them, as xxd, hexdump -C,
// od -tx1z and Wireshark print; and what `openssl s_client -msg` prints of the first message sent. A line
// or its rest after # is a comment.
func decodeHex(text string) ([]byte, error) {
	var out []byte
	offsets, same, msg := false, false, strings.Contains(text, ">>> ")
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(strings.TrimRight(line, "\r\n"), "#")
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "":
			continue
		case strings.HasPrefix(trimmed, ">>> "):
			if len(out) > 5 {
				return out, nil
			}
			out = nil // the header of a record: the message says all that is needed
			continue
		case msg && (strings.HasPrefix(trimmed, "<<< ") || !strings.HasPrefix(line, " ")):
			if len(out) > 5 {
				return out, nil // of the message sent first
			}
			continue
		case offsets && trimmed == "*":
			same = true
			continue
		case len(out) == 0 && !msg && isOffset(firstWord(trimmed), 0):
			offsets = true
		}
		var b []byte
		var err error
		if same { // an asterisk stands for lines like the one before it
			same, out = false, repeat(out, firstWord(trimmed))
		}
		if offsets {
			b, err = dumpLine(trimmed, len(out))
		} else {
			b, err = plainLine(trimmed)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, b...)
	}
	if len(out) == 0 {
		return nil, errors.New("no hex digits")
	}
	return out, nil
}

func firstWord(s string) string {
	w, _, _ := strings.Cut(s, " ")
	return w
}

// isOffset reports whether w is the offset n of a dump, in four to eight hex digits with or without a
// colon. No hello begins with zeros, so the first line of a dump tells itself from plain hex.
func isOffset(w string, n int) bool {
	w = strings.TrimSuffix(w, ":")
	if len(w) < 4 || len(w) > 8 {
		return false
	}
	v, err := strconv.ParseUint(w, 16, 32)
	return err == nil && v == uint64(n)
}

// repeat appends the last 16 bytes of out to it until it is as long as the offset says.
func repeat(out []byte, offset string) []byte {
	end, err := strconv.ParseUint(strings.TrimSuffix(offset, ":"), 16, 32)
	if err != nil || len(out) < 16 || end > maxText {
		return out
	}
	line := out[len(out)-16:]
	for len(out)+16 <= int(end) {
		out = append(out, line...)
	}
	return out
}

// dumpLine reads one line of a dump: the offset, up to 16 bytes, and their characters, which are dropped.
func dumpLine(line string, at int) ([]byte, error) {
	offset, rest, ok := strings.Cut(line, " ")
	if !ok && isOffset(offset, at) {
		return nil, nil // hexdump and od end with the length
	}
	if !isOffset(offset, at) {
		return nil, fmt.Errorf("offset %q where %04x is expected: bytes are missing or doubled", shorten(offset), at)
	}
	rest, _, _ = strings.Cut(rest, "|")
	rest, _, _ = strings.Cut(rest, "  >")
	var out []byte
	rest = strings.TrimLeft(rest, " ")
	for rest != "" && len(out) < 16 {
		word, after, _ := strings.Cut(rest, " ")
		b, err := hex.DecodeString(word)
		if err != nil {
			return nil, fmt.Errorf("%q at offset %04x is no byte in hex", shorten(word), at+len(out))
		}
		out = append(out, b...)
		gap := len(after) - len(strings.TrimLeft(after, " "))
		if gap > 1 || gap == 1 && len(out) != 8 {
			break // two spaces in the middle of a line stand between its halves, elsewhere the characters follow
		}
		rest = strings.TrimLeft(after, " ")
	}
	return out, nil
}

var hexNoise = strings.NewReplacer("0x", " ", "0X", " ", `\x`, " ", ":", " ", ",", " ", ";", " ", "{", " ", "}", " ", `"`, " ", "'", " ")

func plainLine(line string) ([]byte, error) {
	var out []byte
	for _, word := range strings.Fields(hexNoise.Replace(line)) {
		if len(word) == 1 && strings.Contains(line, "0x") {
			word = "0" + word // 0x3 in a list of C constants
		}
		b, err := hex.DecodeString(word)
		if err != nil {
			return nil, fmt.Errorf("%q is neither hex nor part of a hex dump: a ClientHello is expected, as bytes, hex, base64, pcap or pcapng", shorten(word))
		}
		out = append(out, b...)
	}
	return out, nil
}

func shorten(s string) string {
	if len(s) > 24 {
		return s[:24] + "…"
	}
	return s
}

// decodeBase64 reads base64 of either alphabet, padded or not, with or without PEM-like lines around it. It
// counts only where a hello comes out: nearly any word is valid base64.
func decodeBase64(text []byte) ([]byte, bool) {
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "-----") {
			b.WriteString(strings.Join(strings.Fields(line), ""))
		}
	}
	s := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(b.String(), "="))
	out, err := base64.RawStdEncoding.DecodeString(s)
	return out, err == nil && (follow.StartsHello(out) || startsMessage(out))
}
