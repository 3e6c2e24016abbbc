package evidence

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/parley-tls/parley/client"
	"github.com/parley-tls/parley/hello"
	"github.com/parley-tls/parley/suite"
)

// seededRandom gives other randoms to each hello.
type seededRandom byte

func (r *seededRandom) Read(b []byte) (int, error) {
	for i := range b {
		*r++
		b[i] = byte(*r)
	}
	return len(b), nil
}

func helloOf(t *testing.T, profile, name string, seed byte) *hello.ClientHello {
	t.Helper()
	p := client.ByName(profile)
	if p == nil {
		t.Fatalf("no profile %s", profile)
	}
	o := *p.Offer()
	o.ServerName = name
	random := seededRandom(seed)
	h, err := hello.Build(&o, &random)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

var established = Outcome{Result: Established, Version: suite.TLS12, Suite: 0xC02F, Group: suite.X25519}

func at(minute int) time.Time { return time.Date(2026, 11, 20, 9, minute, 0, 0, time.UTC) }

func address(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

func TestTallyPutsAlikeTogether(t *testing.T) {
	var tally Tally
	for i := range 3 {
		tally.Add(&Connection{Time: at(i), Client: address(i % 2), Server: "lb:443", Name: fmt.Sprintf("%d.example.com", i),
			Hello: helloOf(t, "openssl-3.0", fmt.Sprintf("%d.example.com", i), byte(i)), Outcome: established})
	}
	tally.Add(&Connection{Time: at(9), Client: address(7), Hello: helloOf(t, "java-7u25", "", 0), Outcome: Outcome{Result: Failed, Failure: "handshake_failure"}})
	for _, agent := range []string{"curl/8", "curl/8", "okhttp/3"} {
		tally.Add(&Connection{Client: address(1), UserAgent: agent, Outcome: established})
	}
	got := tally.Clients()
	if len(got) != 4 {
		t.Fatalf("got %d kinds, want 4: %+v", len(got), got)
	}
	first := got[0]
	if first.Connections != 3 || first.Sources != 2 || len(first.Names) != 3 || first.First != at(0) || first.Last != at(2) ||
		!reflect.DeepEqual(first.Outcomes, []Count{{Outcome: established, Connections: 3}}) || !strings.HasPrefix(first.JA4, "t13d") {
		t.Errorf("OpenSSL's connections: %+v", first)
	}
	if h, err := first.ClientHello(); err != nil || h.Offer().ServerName != "0.example.com" {
		t.Errorf("the hello that was kept: %v, %v", h, err)
	}
	if got[1].UserAgent != "curl/8" || got[1].Connections != 2 || got[1].Hello != nil {
		t.Errorf("the log's lines: %+v", got[1])
	}
	for _, c := range got {
		if want := map[bool]int{true: 1}[c.JA4 != "" && c.JA4 != first.JA4]; c.Failures() != want {
			t.Errorf("%d failures of %+v", c.Failures(), c)
		}
	}
}

// TestMergeIsAddition fills one tally and two, and expects the same.
func TestMergeIsAddition(t *testing.T) {
	var whole, a, b Tally
	for i := range 200 {
		c := Connection{Time: at(i % 60), Client: address(i % 37), UserAgent: fmt.Sprint("agent ", i%5), Outcome: established}
		if i%3 == 0 {
			c.Outcome = Outcome{Result: Failed, Failure: "reset"}
		}
		whole.Add(&c)
		if i%2 == 0 {
			a.Add(&c)
		} else {
			b.Add(&c)
		}
	}
	a.Merge(&b)
	if got, want := a.Clients(), whole.Clients(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestRequests counts the lines of a log: requests, apart by server and by what was offered, with the busiest sources.
func TestRequests(t *testing.T) {
	tally := Tally{ByServer: true}
	offered := &Offered{Suites: []suite.Code{0xC02F}, Groups: []suite.Group{suite.X25519}}
	for i := range 30 {
		tally.Add(&Connection{Client: address(i % 10 * (i % 2)), Server: fmt.Sprint("lb", i%3/2), UserAgent: "curl/8", Request: true, Offered: offered, Outcome: established})
	}
	tally.Add(&Connection{Server: "lb0", UserAgent: "curl/8", Request: true, Outcome: established})
	got := tally.Clients()
	if len(got) != 3 || got[0].Requests != 20 || got[1].Requests != 10 || got[2].Offered != nil || got[0].Connections != 0 {
		t.Fatalf("%+v", got)
	}
	if b := got[0].Busiest; len(b) != maxBusiest || b[0] != (Source{address(0), 10}) || b[1].Seen < b[2].Seen {
		t.Errorf("the busiest: %v", b)
	}
	var b bytes.Buffer
	if err := Write(&b, got); err != nil {
		t.Fatal(err)
	}
	validate(t, b.String())
	if again, err := Read(&b); err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, again, got)
	}
}

func TestTallyIsBounded(t *testing.T) {
	var tally Tally
	long := strings.Repeat("x", 10<<10)
	tally.Add(&Connection{UserAgent: "one", Outcome: established})
	for i := range maxKinds + 9 {
		tally.Add(&Connection{Client: address(i), UserAgent: fmt.Sprint(i, long), Name: fmt.Sprint(i, long), Outcome: established})
	}
	if tally.Beyond != 10 || len(tally.kinds) != maxKinds {
		t.Errorf("%d kinds and %d connections beyond, want %d and 10", len(tally.kinds), tally.Beyond, maxKinds)
	}
	var one Tally
	h := helloOf(t, "openssl-3.0", "a.example", 1)
	for i := range 3 * maxOutcomes {
		one.Add(&Connection{Client: address(1), Hello: h, Name: fmt.Sprint(i, long), Outcome: Outcome{Result: Established,
			Version: suite.TLS12, Suite: 0xC02F, Group: suite.X25519, Failure: fmt.Sprint(i)}})
	}
	if c := one.Clients()[0]; len(c.Outcomes) > maxOutcomes+1 || len(c.Names) != maxExamples || c.Connections != 3*maxOutcomes {
		t.Errorf("%d outcomes, %d names, %d connections", len(c.Outcomes), len(c.Names), c.Connections)
	}
	for i := range maxSources + 5 {
		tally.Add(&Connection{Client: address(i), UserAgent: "one", Outcome: established})
	}
	if tally.sources > maxSources || !tally.Clients()[0].AtLeast {
		t.Errorf("%d sources kept", tally.sources)
	}
}

func TestFile(t *testing.T) {
	var tally Tally
	tally.Add(&Connection{Time: at(1), Client: address(1), Server: "10.0.0.1:443", Hello: helloOf(t, "openssl-3.0", "a.example", 1), Outcome: established})
	tally.Add(&Connection{Client: address(1), UserAgent: "curl/8", Outcome: Outcome{Result: Failed, Failure: "no shared cipher", Cause: "no-common-cipher"}})
	var b bytes.Buffer
	if err := Write(&b, tally.Clients()); err != nil {
		t.Fatal(err)
	}
	validate(t, b.String())
	got, err := Read(&b)
	if err != nil || !reflect.DeepEqual(got, tally.Clients()) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, tally.Clients())
	}
}

// TestDamagedFile: what is damaged is left out and told, the rest is read.
func TestDamagedFile(t *testing.T) {
	var tally Tally
	for _, agent := range []string{"a", "b", "c"} {
		tally.Add(&Connection{Client: address(1), UserAgent: agent, Outcome: established})
	}
	var b bytes.Buffer
	if err := Write(&b, tally.Clients()); err != nil {
		t.Fatal(err)
	}
	l := strings.SplitAfter(b.String(), "\n")
	text := l[0] + "{}\n" + l[1][:50] + "\n" + l[1] + l[2][:len(l[2])-20]
	got, err := Read(strings.NewReader(text))
	if len(got) != 2 || err == nil || !strings.HasPrefix(err.Error(), "line 2: ") || !strings.HasSuffix(err.Error(), "(and 2 more such lines)") {
		t.Errorf("%d clients, %v", len(got), err)
	}
	var into Tally
	if n, again := into.TakeAll(strings.NewReader(text)); n != 2 || fmt.Sprint(again) != fmt.Sprint(err) || len(into.Clients()) != 2 {
		t.Errorf("%d clients, %v", n, again)
	}
}

// validate holds a file of evidence against the published schema.
func validate(t *testing.T, file string) {
	t.Helper()
	schema := jsonschema.NewCompiler().MustCompile("../docs/schema/evidence.schema.json")
	for l := range strings.Lines(file) {
		var doc any
		if err := json.Unmarshal([]byte(l), &doc); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%v\n%s", err, l)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema":"parley/evidence/1","outcomes":[{"result":"failed","version":"TLSv1.2","cipher":{"code":"0xC02F"},"group":"x25519","connections":1}],"connections":1,"sources":1}`))
	f.Add([]byte(`{"schema":"parley/evidence/1","client_hello":"1603","outcomes":null,"connections":0,"sources":0}`))
	f.Add([]byte(`{"schema":"parley/evidence/1","offered":{"ciphers":[{"code":"0xC02F"}],"groups":["x25519"],"extensions":[0]},"outcomes":[],"connections":0,"requests":2,"busiest":[{"address":"::1","seen":2}],"sources":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		clients, _ := Read(bytes.NewReader(b))
		var out bytes.Buffer
		if err := Write(&out, clients); err != nil {
			t.Fatal(err)
		}
		if again, err := Read(&out); err != nil || len(again) != len(clients) {
			t.Errorf("what was read is written and cannot be read: %v", err)
		}
	})
}

// TestTake joins files: the same client of two files is one, logs of two servers stay apart, and sources that are not named
// are counted from below.
func TestTake(t *testing.T) {
	fill := func(tally *Tally, sources int, agent string, server string) []Client {
		tally.ByServer = agent != ""
		for i := range sources {
			c := &Connection{Time: at(i % 60), Client: address(i), Server: server, Name: server + ".example.com", UserAgent: agent, Outcome: established}
			if agent == "" {
				c.Hello = helloOf(t, "openssl-3.0", c.Name, byte(i))
			}
			tally.Add(c)
		}
		return tally.Clients()
	}
	few, many, log, other := fill(&Tally{}, 3, "", "a"), fill(&Tally{}, 40, "", "b"), fill(&Tally{}, 2, "curl/8", "a"), fill(&Tally{}, 2, "curl/8", "b")
	var all Tally
	for _, l := range [][]Client{few, many, log, other, log} {
		for i := range l {
			if err := all.Take(&l[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := all.Clients()
	if len(got) != 3 {
		t.Fatalf("%d kinds: %+v", len(got), got)
	}
	if c := got[0]; c.Connections != 43 || c.Sources != 40 || !c.AtLeast || len(c.Names) != 2 || len(c.Servers) != 2 || c.First != at(0) || c.Last != at(39) || c.Outcomes[0].Connections != 43 {
		t.Errorf("the hello of two files: %+v", c)
	}
	if c := got[1]; c.Connections != 4 || c.Sources != 2 || c.AtLeast || !reflect.DeepEqual(c.Servers, []string{"a"}) {
		t.Errorf("the same log twice: %+v", c)
	}
	var one Tally
	if err := one.Take(&many[0]); err != nil || !reflect.DeepEqual(one.Clients(), many) {
		t.Errorf("a file by itself changes: %v\n%+v\n%+v", err, one.Clients(), many)
	}
	if err := one.Take(&Client{Hello: Bytes{1, 2, 3}}); err == nil {
		t.Error("a hello that cannot be read is taken")
	}
}

// TestLargeHellos: what is kept of hellos is bounded, not only their number.
func TestLargeHellos(t *testing.T) {
	var tally Tally
	h := helloOf(t, "openssl-3.0", "", 0)
	big := make([]hello.Extension, 0, 1)
	const size = 60 << 10
	n := 2 * maxKept / size
	for i := range n {
		c := *h
		c.Extensions = append(append(big[:0:0], h.Extensions...), hello.Extension{Type: 0x1000 + uint16(i), Data: make([]byte, size)})
		tally.Add(&Connection{Hello: &c, Outcome: established})
	}
	kept := 0
	for _, c := range tally.Clients() {
		kept += len(c.Hello)
	}
	if kept > maxKept || kept < maxKept/2 || tally.Beyond == 0 || len(tally.Clients())+tally.Beyond != n {
		t.Errorf("%d bytes kept of %d hellos, %d beyond", kept, len(tally.Clients()), tally.Beyond)
	}
}
