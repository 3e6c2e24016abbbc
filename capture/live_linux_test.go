package capture

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/parley-tls/parley/evidence"
)

// TestLive watches the loopback interface while a handshake goes over it.
func TestLive(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		time.Sleep(300 * time.Millisecond) // the ring is set up by then
		talks(t, tls.VersionTLS13)
	}()
	var good, bad int
	st, err := Live(ctx, "lo", func(c *Connection) {
		if c.Hello == nil || c.Hello.Offer().ServerName != "lb.example.com" {
			return
		}
		switch c.Outcome().Result {
		case evidence.Established:
			good++
		case evidence.Failed:
			bad++
		}
		if good > 0 && bad > 0 {
			cancel()
		}
	}, nil)
	if errors.Is(err, ErrPermission) {
		t.Skip(err)
	}
	if err != nil || good == 0 || bad == 0 || st.Packets == 0 {
		t.Fatalf("%d established, %d failed, %+v, %v", good, bad, st, err)
	}
}

func TestNoInterface(t *testing.T) {
	_, err := Live(t.Context(), "nosuch0", func(*Connection) {}, nil)
	if err == nil || !errors.Is(err, ErrPermission) && !strings.Contains(err.Error(), `no interface "nosuch0": there are lo`) {
		t.Error(err)
	}
}
