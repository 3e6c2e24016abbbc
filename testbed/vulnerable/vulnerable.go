// Package vulnerable is a TLS server with flaws that no program has any more which can be installed here. It is built
// for the tests of package vuln and for nothing else: it listens on loopback, serves nothing, and without its flaws it
// is a small but proper server of TLS 1.0 to 1.2, as a test with OpenSSL's client shows.
//
// Real programs stand for the flaws that can still be had with them: Node.js 0.10.1 for Heartbleed, CCS injection and
// SSLv2, OpenSSL, Java and others for the rest.
package vulnerable

import (
	"crypto/rsa"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/parley-tls/parley/testbed"
)

// Flaws are what is wrong with a server. The zero value is a server without any.
type Flaws struct {
	Oracle      Oracle  // how it answers malformed RSA key exchanges
	Padding     Padding // what of the padding of CBC records it does not check
	LongID      bool    // answers a ticket with 32 bytes of session id, however many it was sent (Ticketbleed)
	Compression uint8   // the method that it chooses where it is offered; 0 for none
	SameDH      bool    // uses one Diffie-Hellman value in all sessions
	IgnoresMAC  bool    // takes data with a wrong MAC as well; for the control of a check, no real server does
	NoAlerts    bool    // hangs up without an alert, as servers do that forget what their library has still to send
}

// Oracle is how a server gives away whether a ClientKeyExchange was well formed.
type Oracle int

// Oracles.
const (
	NoOracle         Oracle = iota
	AlertOracle             // handshake_failure at once for what is malformed in any way
	LateAlertOracle         // illegal_parameter instead of bad_record_mac, when the Finished has come
	CloseOracle             // a close for what is malformed
	SilenceOracle           // no answer any more to what is malformed
	WeakOracle              // handshake_failure for a block whose secret does not stand where it should
	HeadOracle              // handshake_failure for a block whose first two bytes are wrong
	UnsteadyOracle          // handshake_failure now and then, whatever the block: no oracle, but noise
	FirstRoundOracle        // handshake_failure for what is malformed in the first connections, and no more
)

// Padding is what of a padding goes unchecked.
type Padding int

// Paddings.
const (
	PaddingChecked     Padding = iota
	PaddingIgnored             // no byte of it, as in SSLv3
	PaddingFirstByte           // its first byte
	PaddingOfDataAlone         // no byte of it, in records after the handshake
)

// Start starts a server and returns its address. It ends with the test.
func Start(t testing.TB, flaws Flaws) string {
	t.Helper()
	id := testbed.Make(t, testbed.RSA2048)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{flaws: flaws, chain: id.TLS.Certificate, key: id.TLS.PrivateKey.(*rsa.PrivateKey), tickets: make(map[string][]byte)}
	s.exponent = randomBytes(32)
	var open sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		open.Wait()
	})
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(10 * time.Second))
				s.serve(conn)
			})
		}
	})
	return l.Addr().String()
}
