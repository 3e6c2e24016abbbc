package hello

import "bytes"

// Kind says what protocol the first bytes of a peer belong to.
type Kind string

// Kinds.
const (
	KindTLS      Kind = "TLS"
	KindSSLv2    Kind = "SSLv2"
	KindHTTP     Kind = "HTTP"
	KindHTTP2    Kind = "HTTP/2"
	KindSSH      Kind = "SSH"
	KindSMTP     Kind = "SMTP"
	KindFTP      Kind = "FTP"
	KindIMAP     Kind = "IMAP"
	KindPOP3     Kind = "POP3"
	KindMySQL    Kind = "MySQL"
	KindPostgres Kind = "PostgreSQL"
	KindLDAP     Kind = "LDAP"
	KindXMPP     Kind = "XMPP"
	KindRDP      Kind = "RDP"
	KindNNTP     Kind = "NNTP"
	KindUnknown  Kind = "unknown"
)

// httpMethods begin the requests that clients send in plaintext.
var httpMethods = []string{"GET ", "POST ", "HEAD ", "PUT ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ", "PRI * HTTP/2"}

// Sniff tells what the first bytes of either side of a connection are.
func Sniff(b []byte) Kind {
	has := func(p string) bool { return bytes.HasPrefix(b, []byte(p)) }
	switch {
	case len(b) == 0:
		return KindUnknown
	case len(b) >= 3 && b[0] >= RecordChangeCipherSpec && b[0] <= 24 && b[1] == 3 && b[2] <= 4:
		return KindTLS
	case has("HTTP/"), has("<html"), has("<HTML"), has("<!DOCTYPE"), has("<!doctype"):
		return KindHTTP
	case has("SSH-"):
		return KindSSH
	case has("* OK"), has("* PREAUTH"), has("* BYE"):
		return KindIMAP
	case has("+OK"), has("-ERR"):
		return KindPOP3
	case has("<?xml"), has("<stream:"):
		return KindXMPP
	case has("200 "), has("201 "):
		return KindNNTP
	case has("220"):
		line, _, _ := bytes.Cut(bytes.ToUpper(b), []byte("\n"))
		if (bytes.Contains(line, []byte("FTP")) || bytes.Contains(line, []byte("FILEZILLA"))) && !bytes.Contains(line, []byte("SMTP")) {
			return KindFTP
		}
		return KindSMTP
	case has("421 "), has("554 "), has("500 "), has("530 "):
		return KindSMTP
	case len(b) > 5 && b[3] == 0 && (b[4] == 10 || b[4] == 0xFF) && int(b[0])|int(b[1])<<8|int(b[2])<<16 < 1<<10:
		return KindMySQL // packet 0: protocol 10, or an error
	case b[0] == 'E' && len(b) > 5 && b[1] == 0 && b[2] == 0, len(b) == 1 && (b[0] == 'N' || b[0] == 'S'):
		return KindPostgres
	case has("\x30") && len(b) > 4 && bytes.IndexByte(b[:min(len(b), 8)], 0x02) > 0:
		return KindLDAP // BER: a sequence that begins with an integer
	case has("\x03\x00\x00"):
		return KindRDP // TPKT
	case len(b) >= 9 && b[0] == 0 && b[3] == 4 && b[5] == 0:
		return KindHTTP2 // a SETTINGS frame
	case len(b) >= 5 && b[0]&0x80 != 0 && (b[2] == 4 || b[2] == 0) && b[0]&0x7F < 16:
		return KindSSLv2 // SERVER-HELLO or ERROR
	}
	for _, m := range httpMethods {
		if has(m) {
			return KindHTTP
		}
	}
	return KindUnknown
}
