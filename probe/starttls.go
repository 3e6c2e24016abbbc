package probe

import "net"

// StartTLS names a protocol that speaks plaintext before TLS.
type StartTLS string

// Negotiate speaks the preamble.
func (p StartTLS) Negotiate(conn net.Conn, host string) error { return nil }
