package interop

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/parley-tls/parley/diagnose"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/probe"
)

// Why predicts as `parley why HOST:PORT --client HELLO --ca-file CA` does: the live server is scanned and the
// recorded hello replayed. What the client demands beyond its hello is added, as a profile would have it.
var Why = Predictor{"why", why}

// whyTimeout bounds a connection. It is more than the command's default, for a machine that is busy with other pairs.
const whyTimeout = 20 * time.Second

func why(ctx context.Context, p *Pair) (Prediction, error) {
	h, err := hello.ParseClientHello(p.Hello)
	if err != nil {
		return Prediction{}, fmt.Errorf("hello: %w", err)
	}
	c := diagnose.FromHello(p.Client, h)
	c.Offer.Accepts = p.Accepts
	host, port, err := net.SplitHostPort(p.Addr)
	if err != nil {
		return Prediction{}, err
	}
	roots, err := os.ReadFile(p.CA)
	if err != nil {
		return Prediction{}, err
	}
	opt := diagnose.Options{Prober: &probe.Prober{Timeout: whyTimeout, Parallel: p.Queue}, Roots: x509.NewCertPool(), CAGiven: true, Now: p.Now}
	opt.Roots.AppendCertsFromPEM(roots)
	e := &diagnose.Endpoint{Name: p.Addr, Host: host, Port: port, Addresses: []string{host}, ServerName: p.HostName}
	d := diagnose.Live(ctx, c, e, opt)
	out := Prediction{OK: d.Outcome == diagnose.Negotiated, Report: d}
	if n := d.Negotiated; n != nil {
		out.Version, out.Suite, out.Details = n.Version, n.Cipher, &Details{Group: n.Group, Scheme: n.Scheme}
	}
	if len(d.Causes) > 0 {
		out.Cause = d.Causes[0].ID
	}
	return out, nil
}
