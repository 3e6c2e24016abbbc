package testbed

import (
	"net"
	"testing"
	"time"
)

// Listen serves every connection to a loopback port by a function until the test ends, and returns the address. Each
// connection is closed when the function returns; limit bounds how long it may read and write, 0 not at all.
func Listen(t testing.TB, limit time.Duration, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				if limit > 0 {
					c.SetDeadline(time.Now().Add(limit))
				}
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}
