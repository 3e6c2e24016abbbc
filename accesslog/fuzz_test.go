package accesslog

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/suite"
)

// fuzzLine holds what a parser makes of any line against what must be true of a connection, and expects the same when the
// decoder has seen other lines before.
func fuzzLine(f *testing.F, parse parser, samples ...string) {
	for _, s := range samples {
		f.Add(s)
		f.Add(s[:len(s)/2])
	}
	used := newDecoder()
	f.Fuzz(func(t *testing.T, line string) {
		var c, again evidence.Connection
		v := parse(newDecoder(), line, &c)
		if w := parse(used, line, &again); v != w || v == handshake && !reflect.DeepEqual(c, again) {
			t.Errorf("verdict %d, then %d: %+v, %+v", v, w, c, again)
		}
		if v != handshake {
			return
		}
		o := c.Outcome
		if o.Version != 0 && !o.Version.Known() || o.Suite != 0 && suite.ByCode(o.Suite) == nil {
			t.Errorf("unknown values: %+v", o)
		}
		if _, ok := cause.Lookup(o.Cause); o.Cause != "" && !ok {
			t.Errorf("unknown cause %q", o.Cause)
		}
		switch {
		case o.Result == evidence.Failed && o.Failure != "":
		case o.Result == evidence.Established && o.Failure == "":
		default:
			t.Errorf("%+v", o)
		}
		if p := c.Offered; p != nil && len(p.Suites)+len(p.Groups)+len(p.Extensions) > 3*maxOffered {
			t.Errorf("%d values offered", len(p.Suites))
		}
	})
}

func FuzzALB(f *testing.F) { fuzzLine(f, parseALB, sampleALB, sampleOldALB, samplePlain) }
func FuzzClassic(f *testing.F) {
	fuzzLine(f, parseClassic, sampleClassic, sampleClassicTCP, sampleClassic14)
}
func FuzzNLB(f *testing.F) { fuzzLine(f, parseNLB, sampleNLB, sampleNLBAlert, sampleNLBFailed) }
func FuzzHAProxy(f *testing.F) {
	fuzzLine(f, parseHAProxy, sampleHTTPSLog, sampleHTTPSHdr, sampleHandshake)
}
func FuzzNginxError(f *testing.F) { fuzzLine(f, parseNginxError, sampleNginxError, sampleNginxHTTP) }
func FuzzJSON(f *testing.F) {
	fuzzLine(f, parseJSON, sampleJSON, `{"ssl_protocol":"TLSv1.2","ja3":"771,4865-47,0-10,29-23,0"}`)
}
func FuzzALBConnection(f *testing.F) {
	fuzzLine(f, parseALBConnection, sampleSuccess, sampleFailed, sampleExpired)
}
func FuzzKeyValue(f *testing.F) {
	fuzzLine(f, parseKeyValue, sampleKeyValue, sampleKeyFailed, sampleKeyCode, sampleKeyPlain)
}

// FuzzTemplate reads any line by any format.
func FuzzTemplate(f *testing.F) {
	f.Add(`$remote_addr [$time_local] "$request" ${ssl_protocol} $ssl_cipher`, `1.2.3.4 [28/Nov/2026:20:31:14 +0000] "GET /" TLSv1.2 AES128-SHA`)
	f.Add(`%ci:%cp [%tr] %hr %{+Q}r %sslv/%sslc`, `1.2.3.4:1 [28/Nov/2026:20:31:14.000] "GET /" TLSv1.2/AES128-SHA`)
	f.Add(`%{+Q}o %ci %[ssl_fc_protocol,lower] %%`, `"::1" "TLSv1.3" %`)
	f.Fuzz(func(t *testing.T, format, line string) {
		template, err := ParseTemplate(format)
		if err != nil {
			return
		}
		var c, again evidence.Connection
		if v, w := template.parse(newDecoder(), line, &c), template.parse(newDecoder(), line, &again); v != w || v == handshake && !reflect.DeepEqual(c, again) {
			t.Errorf("verdict %d, then %d", v, w)
		}
	})
}

// FuzzRead reads any file, packed or not: it ends, and every line with something in it is accounted for.
func FuzzRead(f *testing.F) {
	f.Add([]byte(sampleALB + "\n" + sampleNLB + "\r\n\n" + sampleJSON))
	f.Add(packed(f, sampleSuccess+"\n"+sampleFailed+"\n"))
	f.Add(packed(f, sampleSuccess+"\n")[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(Options{})
		file := r.Read("x", bytes.NewReader(b))
		lines, seen := file.Bad, 0
		for _, n := range file.Plain {
			lines += n
		}
		for _, n := range file.TLS {
			lines += n
			seen += n
		}
		clients := r.Tally.Clients()
		for i := range clients {
			seen -= clients[i].Seen()
		}
		if lines != file.Lines || seen != 0 {
			t.Errorf("%+v, %+v", file, clients)
		}
		var out bytes.Buffer
		if err := evidence.Write(&out, clients); err != nil {
			t.Fatal(err)
		}
		if again, err := evidence.Read(&out); err != nil || len(again) != len(clients) {
			t.Errorf("the evidence cannot be read back: %v", err)
		}
	})
}
