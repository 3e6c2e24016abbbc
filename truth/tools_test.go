package truth

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
)

// tool is another scanner.
type tool struct {
	name    string
	command func(host, port, serverName, out string) []string // writes what a machine reads to the file out
	read    func(text []byte) (*picture, error)
	groups  bool // it looks for groups
}

// tools are limited to versions, suites and groups, as far as their options allow.
var tools = []tool{
	{"sslscan", func(host, port, name, out string) []string {
		return []string{"sslscan", "--xml=" + out, "--sni-name=" + name, "--show-cipher-ids", "--no-check-certificate", "--no-compression", "--no-fallback",
			"--no-heartbleed", "--no-renegotiation", host + ":" + port}
	}, readSSLScan, true},
	{"nmap", func(host, port, name, out string) []string {
		return []string{"nmap", "-Pn", "-n", "-p", port, "--script", "ssl-enum-ciphers", "--script-args", "tls.servername=" + name, "-oX", out, host}
	}, readNmap, false},
	{"testssl", func(host, port, name, out string) []string {
		return []string{"testssl", "-P", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip", host, "--jsonfile", out, name + ":" + port}
	}, readTestSSL, false},
}

// toolTime is how long a scanner may take.
const toolTime = 100 * time.Second

// run has the tool scan an endpoint. The error says why the result is not whole; the picture is never nil.
func (x *tool) run(t *testing.T, s *subject) (*picture, error) {
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), toolTime)
	defer cancel()
	out := filepath.Join(t.TempDir(), x.name)
	command := x.command(host, port, s.serverName, out)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // testssl has children
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	runErr := cmd.Run()
	text, err := os.ReadFile(out)
	if err != nil {
		return &picture{}, fmt.Errorf("wrote no result")
	}
	p, err := x.read(text)
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("was broken off after %.0f s", toolTime.Seconds())
	case err == nil && runErr != nil:
		err = fmt.Errorf("ended with %v", runErr)
	}
	return p, err
}

// add adds a suite to a version's list.
func (p *picture) add(v suite.Version, c suite.Code) {
	if p.versions == nil {
		p.versions = make(map[suite.Version]list[suite.Code])
	}
	l := p.versions[v]
	if c != 0 && !slices.Contains(l.items, c) {
		l.items, l.sorted = append(l.items, c), true
	}
	p.versions[v] = l
}

// readSSLScan reads sslscan's XML. It lists suites in the order in which the server took them, and says nothing of
// whose order counts.
func readSSLScan(text []byte) (*picture, error) {
	var doc struct {
		Protocols []struct {
			Type    string `xml:"type,attr"`
			Version string `xml:"version,attr"`
			Enabled string `xml:"enabled,attr"`
		} `xml:"ssltest>protocol"`
		Ciphers []struct {
			Version string `xml:"sslversion,attr"`
			ID      string `xml:"id,attr"`
		} `xml:"ssltest>cipher"`
		Groups []struct {
			Version string `xml:"sslversion,attr"`
			ID      string `xml:"id,attr"`
		} `xml:"ssltest>group"`
	}
	p := &picture{}
	if err := xml.Unmarshal(text, &doc); err != nil {
		return p, err
	}
	for _, x := range doc.Protocols {
		if v, err := suite.ParseVersion(strings.ToUpper(x.Type) + "v" + x.Version); err == nil && x.Enabled == "1" {
			p.add(v, 0)
		}
	}
	for _, c := range doc.Ciphers {
		v, err := suite.ParseVersion(c.Version)
		code, bad := strconv.ParseUint(c.ID, 0, 32)
		if err != nil || bad != nil {
			return p, fmt.Errorf("sslscan prints %+v", c)
		}
		p.add(v, suite.Code(code))
	}
	for _, g := range doc.Groups {
		code, err := strconv.ParseUint(g.ID, 0, 16)
		if err != nil {
			return p, fmt.Errorf("sslscan prints %+v", g)
		}
		if g.Version == "TLSv1.3" {
			p.groups13.items = append(p.groups13.items, suite.Group(code))
		} else {
			p.groups12.items = append(p.groups12.items, suite.Group(code))
		}
	}
	return p, nil
}

// nmapTable is a table of Nmap's XML.
type nmapTable struct {
	Key    string      `xml:"key,attr"`
	Tables []nmapTable `xml:"table"`
	Elems  []struct {
		Key  string `xml:"key,attr"`
		Text string `xml:",chardata"`
	} `xml:"elem"`
}

func (t *nmapTable) elem(key string) string {
	for _, e := range t.Elems {
		if e.Key == key {
			return e.Text
		}
	}
	return ""
}

func readNmap(text []byte) (*picture, error) {
	var doc struct {
		Versions []nmapTable `xml:"host>ports>port>script>table"`
	}
	p := &picture{}
	if err := xml.Unmarshal(text, &doc); err != nil {
		return p, err
	}
	for _, table := range doc.Versions {
		v, err := suite.ParseVersion(table.Key)
		if err != nil {
			return p, err
		}
		p.add(v, 0)
		for _, l := range table.Tables {
			for _, c := range l.Tables {
				s := suite.ByName(strings.Replace(c.elem("name"), "TLS_AKE_WITH_", "TLS_", 1))
				if s == nil && c.elem("name") != "" {
					return p, fmt.Errorf("nmap names a suite %q", c.elem("name"))
				}
				if s != nil {
					p.add(v, s.Code)
				}
			}
		}
		l := p.versions[v]
		l.order = map[string]policy.Order{"server": policy.ServerOrder, "client": policy.ClientOrder}[table.elem("cipher preference")]
		p.versions[v] = l
	}
	return p, nil
}

// readTestSSL reads what testssl.sh -P writes, as far as it goes.
func readTestSSL(text []byte) (*picture, error) {
	p := &picture{}
	var order policy.Order
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.Token()
	for d.More() {
		var x struct{ ID, Severity, Finding string }
		if err := d.Decode(&x); err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				break
			}
			return p, err
		}
		switch {
		case x.ID == "scanProblem":
			return p, fmt.Errorf("gave up: %s", x.Finding)
		case x.ID == "cipher_order" && strings.Contains(x.Finding, "server"):
			order = policy.ServerOrder
		case x.ID == "cipher_order":
			order = policy.ClientOrder
		}
		place, ok := strings.CutPrefix(x.ID, "cipherorder_")
		v, err := suite.ParseVersion(strings.ReplaceAll(place, "_", "."))
		if !ok || err != nil {
			continue
		}
		for _, name := range strings.Fields(x.Finding) {
			s := suite.ByName(name)
			if s == nil {
				continue // a sentence, where nothing was found
			}
			p.add(v, s.Code)
		}
	}
	for v, l := range p.versions {
		l.order = order
		p.versions[v] = l
	}
	return p, nil
}
