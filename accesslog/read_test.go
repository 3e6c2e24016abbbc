package accesslog

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/evidence"
	"github.com/parley-tls/parley/suite"
)

func packed(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPacked reads a gzip file of several members, as loads of logs are put together, and one that is cut.
func TestPacked(t *testing.T) {
	var text strings.Builder
	for i := range 2000 {
		text.WriteString(strings.Replace(sampleALB, "203.0.113.44", fmt.Sprintf("203.0.%d.%d", i/256, i%256), 1) + "\n")
	}
	whole := packed(t, text.String())
	r := NewReader(Options{})
	if f := r.Read("two.gz", bytes.NewReader(append(bytes.Clone(whole), packed(t, sampleNLB+"\n")...))); f.Warning() != "" || f.TLS[ALB] != 2000 || f.TLS[NLB] != 1 {
		t.Errorf("%+v: %s", f, f.Warning())
	}
	f := NewReader(Options{}).Read("cut.gz", bytes.NewReader(whole[:len(whole)/2]))
	var broken *ReadError
	if f.TLS[ALB] < 100 || f.TLS[ALB] > 1900 || f.Bad != 0 || !errors.As(f.Err, &broken) || !errors.Is(f.Err, io.ErrUnexpectedEOF) || broken.Offset != f.Bytes {
		t.Errorf("cut: %+v", f)
	}
	if w := f.Warning(); !strings.HasPrefix(w, fmt.Sprintf("cut.gz: cannot be read beyond byte %d: unexpected EOF; what comes before was read", f.Bytes)) {
		t.Error(w)
	}
	if f := NewReader(Options{}).Read("no.gz", bytes.NewReader([]byte{0x1F, 0x8B, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9})); f.Err == nil || !f.Unknown() {
		t.Errorf("no gzip: %+v", f)
	}
}

// TestHostile reads lines that are too long, bytes that are no text, and more clients than are kept apart; memory stays within
// bounds.
func TestHostile(t *testing.T) {
	long := sampleALB[:300] + strings.Repeat("x", 3*chunkSize)
	text := sampleALB + "\n" + long + "\n" + sampleNLB + "\n\x00\xff\xfe\n" + sampleALB + "\n"
	r := NewReader(Options{})
	f := r.Read("x", strings.NewReader(text))
	if f.TLS[ALB] != 2 || f.TLS[NLB] != 1 || f.Bad != 2 || f.FirstAt != int64(len(sampleALB)+1) {
		t.Errorf("%+v", f)
	}
	// the same, a few bytes at a time
	again := NewReader(Options{}).Read("x", &trickle{[]byte(text)})
	if !reflect.DeepEqual(f, again) {
		t.Errorf("%+v\n%+v", f, again)
	}

	before := allocated()
	hostile := io.LimitReader(&endless{}, 24<<20)
	r = NewReader(Options{})
	f = r.Read("x", hostile)
	if f.TLS[ALB] < 20_000 || r.Tally.Beyond == 0 {
		t.Errorf("%+v, %d beyond", f, r.Tally.Beyond)
	}
	if grown := allocated() - before; grown > 64<<20 {
		t.Errorf("%d MiB are kept", grown>>20)
	}
	runtime.KeepAlive(r)

	if f := NewReader(Options{}).Read("x", strings.NewReader(strings.Repeat("nonsense\n", 10*patience))); f.Lines != patience || !f.Unknown() {
		t.Errorf("nonsense: %+v", f)
	}
}

func allocated() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// trickle gives a few bytes at a time.
type trickle struct{ rest []byte }

func (t *trickle) Read(b []byte) (int, error) {
	if len(t.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), 1009)], t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// endless gives lines of an ALB each with another user agent, name and address.
type endless struct {
	n    int
	rest string
}

func (e *endless) Read(b []byte) (int, error) {
	if e.rest == "" {
		e.n++
		e.rest = strings.NewReplacer("okhttp/3.12.1", fmt.Sprint("agent ", e.n, strings.Repeat("y", 200)), "shop.example.com", fmt.Sprint(e.n, ".example"),
			"203.0.113.44", fmt.Sprintf("10.%d.%d.%d", e.n>>16&255, e.n>>8&255, e.n&255)).Replace(sampleALB) + "\n"
	}
	n := copy(b, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// TestReadAll reads files side by side and expects what one reader gives, with the failures of the others.
func TestReadAll(t *testing.T) {
	text := func(s string) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(s)), nil }
	}
	sources := []Source{
		{Name: "a", Open: text(sampleALB + "\n" + samplePlain + "\n")},
		{Name: "conn_log.111122223333_elasticloadbalancing_eu-west-1_app.shop.50dc6c495c0c9188_20231128T0920Z_192.0.2.10_x.log", Open: text(sampleExpired + "\n")},
		{Name: "b", Open: text(sampleNLB + "\nwhat?\n")},
		{Name: "c", Open: text("what?\n")},
		{Name: "d", Open: func() (io.ReadCloser, error) { return nil, os.ErrPermission }},
		{Name: "empty", Open: text("")},
	}
	rep := ReadAll(sources, Options{})
	if rep.Files != 5 || len(rep.Clients) != 3 || len(rep.Failed) != 1 || !errors.Is(rep.Failed[0], os.ErrPermission) || len(rep.Unknown) != 2 {
		t.Errorf("%+v", rep)
	}
	want := []string{`b: 1 of 2 lines makes no sense, at byte ` + fmt.Sprint(len(sampleNLB)+1) + `: "what?"; the others were read`,
		`c: no line of a known format in the first 1; it begins with "what?"`}
	if !reflect.DeepEqual(rep.Warnings, want) {
		t.Errorf("%q", rep.Warnings)
	}
	for _, c := range rep.Clients {
		if c.Failures() > 0 && c.Servers[0] != "app/shop/50dc6c495c0c9188" {
			t.Errorf("the name in the file's name was not taken: %+v", c)
		}
	}
	for i := range rep.Formats { // the connection log tells of the failures that the access log lacks
		if f := &rep.Formats[i]; f.Format == ALB && len(rep.Lacking(f)) != len(f.Lacks)-2 {
			t.Errorf("lacking: %+v", rep.Lacking(f))
		}
	}
	if only := ReadAll(sources[:1], Options{Format: NLB}); len(only.Clients) != 0 || len(only.Unknown) != 1 {
		t.Errorf("%+v", only)
	}
}

// TestTables holds the tables against the packages that know their words.
func TestTables(t *testing.T) {
	for _, table := range []map[int]meaning{clientAlerts(), reasons()} {
		for n, m := range table {
			if _, ok := cause.Lookup(m.cause); m.cause != "" && !ok {
				t.Errorf("%d: unknown cause %q", n, m.cause)
			}
		}
	}
	for n, m := range clientAlerts() {
		if name := suite.Alert(n).String(); m.words != name {
			t.Errorf("alert %d is %s, not %s", n, name, m.words)
		}
	}
	for word, m := range mutualTLS() {
		if _, ok := cause.Lookup(m.cause); m.cause != "" && !ok || !strings.HasPrefix(word, "ClientCert") && word != "UnmappedConnectionError" {
			t.Errorf("%s: %+v", word, m)
		}
	}
	if len(mutualTLS()) != 13 {
		t.Errorf("%d words of mutual TLS", len(mutualTLS()))
	}
	for _, d := range Formats() {
		if len(d.Lacks) == 0 || d.Title == "" || (d.parse == nil) != (d.Format == LogFormat) {
			t.Errorf("%+v", d)
		}
	}
	docs, err := os.ReadFile("../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range Formats() {
		if d.Format != LogFormat && !strings.Contains(string(docs), "`"+string(d.Format)+"`") {
			t.Errorf("docs/logs.md does not have %s", d.Format)
		}
	}
}

// TestTemplates reads lines by formats as users write them.
func TestTemplates(t *testing.T) {
	for _, c := range []struct {
		format, line string
		want         evidence.Outcome
		agent        string
	}{
		{`$remote_addr - $remote_user [$time_local] "$request" $status "$http_user_agent" $ssl_protocol/$ssl_cipher`,
			`203.0.113.9 - a b [28/Nov/2026:20:31:14 +0100] "GET / HTTP/1.1" 200 "x y" TLSv1.2/AES128-SHA`, outcome(suite.TLS12, 0x2F, 0), "x y"},
		{`${remote_addr}:$remote_port|$msec|${ssl_protocol}|$ssl_cipher|$ssl_curve`, `2001:db8::1:443|1795897866.123|TLSv1.3|TLS_AES_128_GCM_SHA256|0x11ec`, outcome(suite.TLS13, 0x1301, suite.X25519MLKEM768), ""},
		{`%ci:%cp\ [%t]\ %ft\ %hr\ %{+Q}r\ %sslv\ %sslc`, `[::1]:443 [28/Nov/2026:20:31:14.123] web~ "GET / "x"" TLSv1.2 AES128-SHA`, outcome(suite.TLS12, 0x2F, 0), ""},
		{`%ci:%cp [%t] %ft %hr %{+Q}r %sslv %sslc`, `::1:443 [28/Nov/2026:20:31:14.123] web~ {a b|c} "GET /" TLSv1.2 AES128-SHA`, outcome(suite.TLS12, 0x2F, 0), ""},
		{`%{+Q}o %ci %[ssl_fc_protocol] %[ssl_fc_cipher,lower] 100%%`, `"203.0.113.9" "TLSv1.2" "aes128-sha" 100%`, outcome(suite.TLS12, 0x2F, 0), ""},
		{`%ci %[ssl_fc_err,hex] %sslv`, `203.0.113.9 000000000A000102 -`, failure("unsupported protocol", cause.NoCommonVersion), ""},
		{`%ci %[ssl_fc_err] %sslv`, `203.0.113.9 99 -`, failure("OpenSSL error 63", ""), ""},
	} {
		template, err := ParseTemplate(c.format)
		if err != nil {
			t.Error(err)
			continue
		}
		var got evidence.Connection
		if v := template.parse(newDecoder(), c.line, &got); v != handshake || got.Outcome != c.want || got.UserAgent != c.agent || !got.Client.IsValid() {
			t.Errorf("%s: verdict %d, %+v", c.format, v, got)
		}
	}
	for format, want := range map[string]string{
		"hello": "no variable", "$status": "says anything of TLS", "$ssl_protocol$ssl_cipher": "between them", "${ssl_protocol": "not closed", "$ ssl": "without a name",
		"%[ssl_fc_cipher": "not closed", "%{+Q": "not closed", "%ST": "says anything of TLS", "% x": "without a name",
	} {
		if _, err := ParseTemplate(format); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", format, err)
		}
	}
}

// TestTimes reads times in each form, and none that no log can have.
func TestTimes(t *testing.T) {
	d := newDecoder()
	for text, want := range map[string]string{
		"2026-11-20T09:14:03.512334Z": "2026-11-20T09:14:03.512334Z", "2026-11-20T09:14:03": "2026-11-20T09:14:03Z", "2026-11-20T09:14:03+01:30": "2026-11-20T07:44:03Z",
		"2026/11/20 09:14:03": "2026-11-20T09:14:03Z", "[20/Nov/2026:09:14:03 -0100]": "2026-11-20T10:14:03Z", "20/Nov/2026:09:14:03.512": "2026-11-20T09:14:03.512Z",
		"1795897866": "2026-11-28T20:31:06Z", "1795897866.123": "2026-11-28T20:31:06.123Z",
	} {
		if got, ok := d.time(text); !ok || !got.Equal(at(want)) {
			t.Errorf("%s: %v, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "-", "now", "2026-13-20T09:14:03Z", "2026-11-20T24:14:03Z", "2026-11-20T09:14:03+0", "2026-11-20T09:14", "9999-12-31T23:59:59-23:59",
		"0000-01-01T00:00:00+01:00", "20/Nov/2026:09:14", "99999999999999999999", "1795897866.x", "20/Foo/2026:09:14:03 +0000"} {
		if got, ok := d.time(text); ok {
			t.Errorf("%q is %v", text, got)
		}
	}
}

// TestCodes reads lists in each form that servers write them in.
func TestCodes(t *testing.T) {
	want := []suite.Code{0x1301, 0xC02F, 0xFF}
	for _, list := range []string{"TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256:0x00ff", "TLS_AES_128_GCM_SHA256,ECDHE-RSA-AES128-GCM-SHA256,TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
		"0A0A1301C02F00FF", "4865-49199-255", "2570-4865-49199-255", "0x1301:unheard-of:0xc02f:0x00ff"} {
		o, ok := readOffered(offerTexts{ciphers: list})
		if !ok || !reflect.DeepEqual(o.Suites, want) {
			t.Errorf("%s: %+v", list, o)
		}
	}
	for list, one := range map[string]suite.Code{"47": 0x2F, "4865": 0x1301, "1301": 0x1301, "49199": 0xC02F} {
		if o, ok := readOffered(offerTexts{ciphers: list}); !ok || !reflect.DeepEqual(o.Suites, []suite.Code{one}) {
			t.Errorf("%s: %+v", list, o)
		}
	}
	o, ok := readOffered(offerTexts{ja3: "771,4865-47,0-10-11,29-23,0"})
	if !ok || !reflect.DeepEqual(o, &evidence.Offered{Version: suite.TLS12, Suites: []suite.Code{0x1301, 0x2F}, Groups: []suite.Group{suite.X25519, suite.Secp256r1}, Extensions: []uint16{0, 10, 11}}) {
		t.Errorf("JA3: %+v", o)
	}
}
