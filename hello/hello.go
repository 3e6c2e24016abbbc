// Package hello is the wire: it reads and writes the handshake messages, alerts and records by which a
// client and a server negotiate TLS, in both directions and without loss, back to the SSLv2 hello.
//
// It knows bytes only: it opens no connection.
package hello

import "github.com/parley-tls/parley/suite"

// ClientHello is a ClientHello as it stands on the wire (RFC 8446 section 4.1.2, RFC 5246 section
// 7.4.1.2), or one in the SSLv2 record format (RFC 5246 appendix E.2).
type ClientHello struct {
	RecordVersion suite.Version // of the first record
	Version       suite.Version // legacy_version
	Random        []byte        // 32 bytes; for an SSLv2 hello the challenge, 16 to 32 bytes
	SessionID     []byte
	Suites        []suite.Code // in order, GREASE and SCSVs included; three-byte kinds only in an SSLv2 hello
	Compression   []byte
	HasExtensions bool // false: the extensions block is absent, not empty
	Extensions    []Extension
	SSLv2Format   bool
	fragments     []fragment // the records it came in, if more than one
}

// Extension is one extension, its body unparsed.
type Extension struct {
	Type uint16
	Data []byte
}
