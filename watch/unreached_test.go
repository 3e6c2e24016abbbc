package watch

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/parley-tls/parley/cause"
)

func TestUnreached(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Err: err} }
	for _, c := range []struct {
		err  error
		want cause.ID
	}{
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), cause.ConnectionRefused},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), cause.ConnectionTimeout},
		{dial(os.ErrDeadlineExceeded), cause.ConnectionTimeout},
		{dial(&net.DNSError{Name: "lb.example.com", IsNotFound: true}), cause.DNSFailure},
		{errors.New("another"), cause.Unknown},
	} {
		e := Unreached(time.Now(), netip.MustParseAddrPort("192.0.2.7:1"), "lb.example.com:443", c.err)
		if len(e.Causes) != 1 || e.Causes[0].ID != c.want || (e.Cause == "") != (c.want == cause.Unknown) {
			t.Errorf("%v: %+v", c.err, e.Causes)
		}
	}
}
