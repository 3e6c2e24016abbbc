package symptom

import "strconv"

// firstAlert is what OpenSSL adds to an alert's number to make a reason of it.
const firstAlert = 1000

// boringSSL is the number of the TLS library in BoringSSL's codes.
const boringSSL = 16

// codes decodes the numeric errors of OpenSSL and its forks: eight hex digits, behind "error:" or alone. To 1.1.1 they are
// library (8 bits), function (12), reason (12); from 3.0 on library (from bit 23) and reason (23 bits).
func (t *tables) codes(f *folded) []match {
	var found []match
	b := f.flat
	for i := 0; i+8 <= len(b); i++ {
		if hexValue(b[i]) < 0 || i > 0 && isWord(b[i-1]) {
			continue
		}
		n, end := hexRun(b, i)
		if m, err := strconv.Atoi(string(b[i:min(end, i+10)])); err == nil && end-i == 9 && m>>24 == boringSSL {
			n, end = uint32(m), i+8 // Envoy prints BoringSSL's codes in decimal
		}
		if end-i != 8 || end < len(b) && isWord(b[end]) && !isDigit(b[end]) {
			i = end
			continue
		}
		afterError := i >= 6 && string(b[i-6:i]) == "error:"
		for _, p := range t.decode(n, afterError) {
			found = append(found, match{start: i, end: end, line: f.lineOf(i), number: p.number, Pattern: &p.Pattern})
		}
		if len(found) > maxMatches {
			break
		}
		i = end
	}
	return found
}

type decoded struct {
	Pattern
	number int // of an alert
}

// decode is what an error code signals. Eight hex digits that follow no "error:" must be of the TLS library.
func (t *tables) decode(code uint32, afterError bool) []decoded {
	const source = "OpenSSL include/openssl/err.h"
	as := func(signal, side string, number int) decoded {
		return decoded{Pattern{Signal: signal, Side: side, By: "OpenSSL", Source: source}, number}
	}
	// OpenSSL to 1.1.1, LibreSSL.
	library, function, number := openSSLLibraries[int(code>>24)], int(code>>12&0xFFF), int(code&0xFFF)
	if library == "ssl" || library != "" && afterError {
		var out []decoded
		if side := t.functions[function]; library == "ssl" && side != "" {
			out = append(out, as("side", side, -1))
		}
		if t.alerts[number-firstAlert] != nil && library == "ssl" {
			return append(out, as("alert:#", "", number-firstAlert))
		}
		if r, ok := t.reasons[codeKey{library, false, number}]; ok {
			return append(out, as(r.signal, "", -1))
		}
	}
	// OpenSSL 3.
	library, number = openSSLLibraries[int(code>>23&0xFF)], int(code&0x7FFFFF)
	if library == "ssl" || library != "" && afterError {
		if t.alerts[number-firstAlert] != nil && library == "ssl" {
			return []decoded{as("alert:#", "", number-firstAlert)}
		}
		if r, ok := t.reasons[codeKey{library, false, number}]; ok {
			return []decoded{as(r.signal, "", -1)}
		}
	}
	// BoringSSL.
	library, number = boringLibraries[int(code>>24)], int(code&0xFFF)
	if library == "ssl" && (afterError || code>>12&0xFFF == 0) || library != "" && afterError {
		if t.alerts[number-firstAlert] != nil && library == "ssl" {
			return []decoded{as("alert:#", "", number-firstAlert)}
		}
		if r, ok := t.reasons[codeKey{library, true, number}]; ok {
			return []decoded{as(r.signal, "", -1)}
		}
	}
	return nil
}

// hexRun reads the hex digits from i on: their value where they are eight, and where they end.
func hexRun(b []byte, i int) (uint32, int) {
	end := i
	for end < len(b) && hexValue(b[end]) >= 0 {
		end++
	}
	if end-i != 8 {
		return 0, end
	}
	n, _ := strconv.ParseUint(string(b[i:end]), 16, 32)
	return uint32(n), end
}

func hexValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
