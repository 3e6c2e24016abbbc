package bench

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/parley-tls/parley/inspect"
	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/probe"
	"github.com/parley-tls/parley/render"
	"github.com/parley-tls/parley/testbed"
)

// BenchmarkScanInProcess runs a full scan of an nginx endpoint, no distance away, and prints it, in this process and
// again and again. It is for profiles (-cpuprofile, -memprofile) and adds to no table.
func BenchmarkScanInProcess(b *testing.B) {
	config := testbed.ForPolicy(policy.ByName("TLS13-1-2-2021-06"), testbed.Nginx)
	if missing, ok := config.Installed(b); !ok {
		b.Skipf("%s is missing", missing)
	}
	server := testbed.Start(b, config.With(testbed.Make(b, testbed.RSA2048)))
	host, port, err := net.SplitHostPort(server.Addr)
	if err != nil {
		b.Fatal(err)
	}
	out := render.NewScanJSON(io.Discard, true)
	b.ReportAllocs()
	for b.Loop() {
		p := &probe.Prober{Parallel: 16}
		t := inspect.Target{Name: server.Addr, Host: host, Port: port, Address: server.Addr}
		r := inspect.Run(b.Context(), p, t, inspect.Options{Depth: inspect.Full, Now: time.Now()})
		if !r.Reached {
			b.Fatal("not reached")
		}
		if err := out.Report(r); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(p.Connections()), "connections")
	}
}
