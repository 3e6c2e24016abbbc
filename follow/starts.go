package follow

import "github.com/parley-tls/parley/hello"

// StartsHello reports whether b can be the beginning of a ClientHello: a handshake record that begins with
// one, or an SSLv2 record with one in it.
func StartsHello(b []byte) bool {
	switch {
	case len(b) < 6:
		return false
	case b[0] == hello.RecordHandshake:
		return b[1] == 3 && b[2] <= 4 && (b[5] == hello.TypeClientHello || b[3] == 0 && b[4] == 0)
	case b[0]&0x80 != 0 && b[2] == 1:
		return startsSSLv2(b)
	}
	return false
}

// startsSSLv2 reports whether b, at least six bytes, begins an SSLv2-format hello. Its header is too short to
// tell it from other bytes, but the lengths in it must add up.
func startsSSLv2(b []byte) bool {
	if b[3] != 0 || b[4] != 2 {
		if b[3] != 3 || b[4] > 4 {
			return false
		}
	}
	if len(b) < 11 {
		return true
	}
	n := func(i int) int { return int(b[i])<<8 | int(b[i+1]) }
	specs, session, challenge := n(5), n(7), n(9)
	return n(0)&0x7FFF == 9+specs+session+challenge && specs%3 == 0 && session <= 32 && challenge >= 16 && challenge <= 32
}

// plausible reports whether b, a few bytes perhaps, can be the beginning of a hello.
func plausible(b []byte) bool {
	if len(b) >= 6 {
		return StartsHello(b)
	}
	return b[0] == hello.RecordHandshake && (len(b) < 2 || b[1] == 3) || b[0]&0x80 != 0 && len(b) < 3 || b[0]&0x80 != 0 && b[2] == 1
}

// wanted returns how long b must be before it is worth another look: until it can be told from other things,
// then until its last record is whole.
func wanted(b []byte) int {
	if len(b) < 6 {
		return 6
	}
	if b[0]&0x80 != 0 {
		if len(b) < 11 {
			return 11
		}
		return 2 + int(b[0]&0x7F)<<8 + int(b[1])
	}
	n := 0
	for n+5 <= len(b) {
		n += 5 + int(b[n+3])<<8 + int(b[n+4])
	}
	return max(n, len(b)+1)
}

const recordHeartbeat = 24 // RFC 6520

// recordHeader reports whether b begins with the header of a TLS record, and its size with the header.
func recordHeader(b []byte) (ok bool, size int) {
	if len(b) < 5 || b[0] < hello.RecordChangeCipherSpec || b[0] > recordHeartbeat || b[1] != 3 || b[2] > 4 {
		return false, 0
	}
	n := int(b[3])<<8 | int(b[4])
	return n <= 1<<14+2048, 5 + n
}

// halfHeader reports whether b, less than five bytes, can be the beginning of a record.
func halfHeader(b []byte) bool {
	return len(b) < 5 && b[0] >= hello.RecordChangeCipherSpec && b[0] <= recordHeartbeat && (len(b) < 2 || b[1] == 3)
}
