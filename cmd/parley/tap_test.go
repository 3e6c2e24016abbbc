package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-tls/parley/testbed"
)

// tapServer is an OpenSSL that takes TLS 1.2 and 1.3, and its port at localhost.
func tapServer(t *testing.T, options ...string) (target, ca string) {
	t.Helper()
	id := testbed.Identities(t)["rsa2048"]
	port := testbed.FreePort(t)
	args := append([]string{"s_server", "-accept", fmt.Sprintf("127.0.0.1:%d", port), "-www", "-cert", id.Cert, "-key", id.Key, "-no_tls1", "-no_tls1_1"}, options...)
	testbed.Run(t, port, testbed.Need(t, "openssl"), args...)
	return fmt.Sprintf("localhost:%d", port), id.CA
}

// told are the lines that parley tap --json prints.
func told(t *testing.T, text string) (l []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		l = append(l, m)
	}
	if len(l) > 0 {
		valid(t, "negotiation", text, true)
	}
	return l
}

const javaClient = `
import java.net.URL;
import javax.net.ssl.*;
class Client {
	public static void main(String[] args) throws Exception {
		var all = new TrustManager[]{new X509ExtendedTrustManager() {
			public void checkClientTrusted(java.security.cert.X509Certificate[] c, String a) {}
			public void checkServerTrusted(java.security.cert.X509Certificate[] c, String a) {}
			public void checkClientTrusted(java.security.cert.X509Certificate[] c, String a, java.net.Socket s) {}
			public void checkServerTrusted(java.security.cert.X509Certificate[] c, String a, java.net.Socket s) {}
			public void checkClientTrusted(java.security.cert.X509Certificate[] c, String a, SSLEngine e) {}
			public void checkServerTrusted(java.security.cert.X509Certificate[] c, String a, SSLEngine e) {}
			public java.security.cert.X509Certificate[] getAcceptedIssuers() { return new java.security.cert.X509Certificate[0]; }
		}};
		var context = SSLContext.getInstance("TLS");
		context.init(null, all, null);
		HttpsURLConnection.setDefaultSSLSocketFactory(context.getSocketFactory());
		System.out.println(((HttpsURLConnection) new URL(args[0]).openConnection()).getResponseCode());
	}
}`

// TestTapPrograms runs real programs through the tap: each is led to it by the means that it honours.
func TestTapPrograms(t *testing.T) {
	target, ca := tapServer(t)
	url := "https://" + target + "/"
	java := filepath.Join(t.TempDir(), "Client.java")
	if err := os.WriteFile(java, []byte(javaClient), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		command []string
		result  string // of the one negotiation; "" for none that comes through
		near    string // part of the nearest client's name
		cause   string // of the diagnosis
	}{
		{"curl", []string{"curl", "-sS", "--cacert", ca, url}, "established", "", ""},
		{"curl without the root", []string{"curl", "-sS", url}, "failed", "curl", ""},
		{"curl with TLS 1.1", []string{"curl", "-sSk", "--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0", url}, "failed", "", "no-common-version"},
		{"python", []string{"python3", "-c", "import ssl, urllib.request, sys; print(urllib.request.urlopen(sys.argv[1], context=ssl.create_default_context(cafile=sys.argv[2])).status)", url, ca}, "established", "", ""},
		{"node 24", []string{"NODE 24", "-e", "fetch(process.argv[1]).then(r => console.log(r.status), e => console.log(e.cause))", url}, "failed", "", ""},
		{"java", []string{"java", java, url}, "established", "java", ""},
		{"wget", []string{"wget", "-q", "-O", "/dev/null", "--ca-certificate=" + ca, url}, "established", "", ""},
		{"openssl, which knows no variables", []string{"openssl", "s_client", "-connect", target}, "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.command[0] == "NODE 24" {
				c.command[0] = testbed.NodePath(t, "24")
			}
			testbed.Need(t, c.command[0])
			out, errs, err := ran(t, append([]string{"tap", "--json", target, "--"}, c.command...)...)
			l := told(t, out)
			if c.result == "" {
				if len(l) != 0 || !strings.Contains(errs, "no connection to "+target+" came through the proxy") || !strings.Contains(errs, "--listen 127.0.0.1:8443") {
					t.Errorf("%s\n%s", out, errs)
				}
				return
			}
			if len(l) == 0 || l[0]["result"] != c.result {
				t.Fatalf("%v\n%s\n%s", err, out, errs)
			}
			var exit *exitError
			if failed := errors.As(err, &exit) && exit.code == exitBad; failed != (c.result == "failed") {
				t.Errorf("ends with %v", err)
			}
			if !strings.Contains(errs, "ended with exit code") {
				t.Errorf("the exit code of the program is not told: %s", errs)
			}
			if near, _ := l[0]["nearest_client"].(map[string]any); c.near != "" && (near == nil || !strings.Contains(fmt.Sprint(near["name"]), c.near)) {
				t.Errorf("nearest client: %v", near)
			}
			if c.result == "failed" {
				d, _ := l[0]["diagnosis"].(map[string]any)
				if d == nil {
					t.Fatalf("no diagnosis: %s", out)
				}
				causes, _ := d["causes"].([]any)
				if c.cause != "" && (len(causes) == 0 || causes[0].(map[string]any)["id"] != c.cause) {
					t.Errorf("diagnosis: %v", causes)
				}
			}
		})
	}
}

// TestTapRefusedAfterwards: GnuTLS checks the certificate when the handshake is over, so that nothing of it is seen.
func TestTapRefusedAfterwards(t *testing.T) {
	testbed.Need(t, "wget")
	target, ca := tapServer(t)
	url := "https://" + target + "/"
	const hint = "each handshake succeeded: what the command failed for comes after it"
	if out, errs, err := ran(t, "tap", target, "--", "wget", "-q", "-O", "/dev/null", url); err != nil || !strings.Contains(out, "WORKS") || !strings.Contains(errs, hint) {
		t.Errorf("%v\n%s\n%s", err, out, errs)
	}
	if out, errs, err := ran(t, "tap", target, "--", "wget", "-q", "-O", "/dev/null", "--ca-certificate="+ca, url); err != nil || strings.Contains(errs, hint) {
		t.Errorf("%v\n%s\n%s", err, out, errs)
	}
}

// TestTapAnotherTarget: the program connects elsewhere than to what is to be recorded.
func TestTapAnotherTarget(t *testing.T) {
	testbed.Need(t, "curl")
	target, _ := tapServer(t)
	_, errs, err := ran(t, "tap", "localhost:1", "--", "curl", "-sSk", "-o", "/dev/null", "https://"+target+"/")
	var exit *exitError
	if want := "parley tap " + target + " -- "; !errors.As(err, &exit) || exit.code != exitUndecided || !strings.Contains(errs, want) {
		t.Errorf("no %q, or another exit code: %v\n%s", want, err, errs)
	}
}

// TestTapUnreached: the load balancer is not there.
func TestTapUnreached(t *testing.T) {
	testbed.Need(t, "curl")
	for target, id := range map[string]string{"localhost:1": "connection-refused", "no-such-name.invalid:443": "dns-failure"} {
		out, errs, err := ran(t, "tap", "--json", target, "--", "curl", "-sS", "https://"+target+"/")
		var exit *exitError
		if l := told(t, out); len(l) != 1 || l[0]["cause"] != id || !errors.As(err, &exit) || exit.code != exitUndecided {
			t.Errorf("%s: %v\n%s\n%s", target, err, out, errs)
		}
	}
}

// TestTapSClient leads OpenSSL's client to the proxy by its own option, through a shell that reads the variable.
func TestTapSClient(t *testing.T) {
	target, _ := tapServer(t)
	testbed.Need(t, "sh")
	out, errs, _ := ran(t, "tap", "--json", target, "--", "sh", "-c", "echo Q | openssl s_client -proxy ${https_proxy#http://} -connect "+target)
	if l := told(t, out); len(l) != 1 || l[0]["result"] != "established" {
		t.Errorf("%s\n%s", out, errs)
	}
}

// listening runs parley tap --listen until the test is done with it. It returns the relay's address.
func listening(t *testing.T, args ...string) (addr string, stop func() (stdout string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	root := newRoot()
	var out bytes.Buffer
	r, w := io.Pipe()
	root.SetOut(&out)
	root.SetErr(w)
	root.SetArgs(append([]string{"tap", "--listen", "127.0.0.1:0"}, args...))
	done := make(chan struct{})
	go func() { root.ExecuteContext(ctx); w.Close(); close(done) }()
	lines := bufio.NewReader(r)
	line, err := lines.ReadString('\n')
	_, rest, ok := strings.Cut(line, "relaying ")
	addr, _, _ = strings.Cut(rest, " ")
	if err != nil || !ok {
		t.Fatalf("%q %v", line, err)
	}
	go io.Copy(io.Discard, lines)
	return addr, func() string { cancel(); <-done; return out.String() }
}

// TestTapListen points a program at the relay, and takes what the command writes into other commands.
func TestTapListen(t *testing.T) {
	target, _ := tapServer(t)
	dir := t.TempDir()
	saved, file := filepath.Join(dir, "hello.hex"), filepath.Join(dir, "evidence")
	addr, stop := listening(t, target, "--save-client", saved, "--evidence", file)
	for _, options := range [][]string{{"-tls1_3"}, {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}, {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}} {
		cmd := exec.Command(testbed.Need(t, "openssl"), append([]string{"s_client", "-connect", addr, "-servername", "localhost"}, options...)...)
		cmd.Run()
	}
	time.Sleep(2 * time.Second) // the diagnosis
	text := stop()
	for _, want := range []string{"WORKS", "TLSv1.3", "FAILS", "the client offers TLS 1.1 at most", "Offer TLS 1.2 (proved", "the same hello failed in the same way before"} {
		if !strings.Contains(strings.ReplaceAll(text, saved, "the client"), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if out, _, _ := ran(t, "why", target, "--client", saved); !strings.Contains(out, "no-common-version") {
		t.Errorf("parley why --client with the hello that was saved:\n%s", out)
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.Contains(b, []byte("parley/evidence/1")) {
		t.Errorf("the evidence: %s %v", b, err)
	}
}

// TestTapDelaysNobody has a server that refuses the first hello and then answers no more: while that is diagnosed, the
// refusal has reached its client, and other connections pass.
func TestTapDelaysNobody(t *testing.T) {
	var connections atomic.Int32
	server := testbed.Listen(t, 20*time.Second, func(c net.Conn) {
		b := make([]byte, 1000)
		n, _ := c.Read(b)
		switch {
		case connections.Add(1) == 1:
			c.Write([]byte{21, 3, 1, 0, 2, 2, 40})
		case bytes.HasPrefix(b[:n], []byte("GET ")):
			io.WriteString(c, "HTTP/1.1 400 The plain HTTP request was sent to HTTPS port\r\n\r\n")
		default:
			io.Copy(io.Discard, c)
		}
	})
	addr, stop := listening(t, server, "--timeout", "2s")
	hello, err := os.ReadFile("testdata/hello-go.bin")
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for _, sent := range [][]byte{hello, []byte("GET / HTTP/1.1\r\n\r\n")} {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Write(sent)
		if n, err := c.Read(make([]byte, 100)); n == 0 {
			t.Fatal(err)
		}
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("the answers took %v to arrive", took)
	}
	if c, err := net.Dial("tcp", addr); err == nil { // says nothing
		c.Close()
	}
	time.Sleep(time.Until(begin.Add(2500 * time.Millisecond)))
	text := stop()
	if !strings.Contains(text, "connections,") || !strings.Contains(text, "http-sent-to-tls") {
		t.Errorf("what happened is not told:\n%s", text)
	}
}

// TestTapSTARTTLS passes a protocol with STARTTLS on, and follows it.
func TestTapSTARTTLS(t *testing.T) {
	server := testbed.Listen(t, 20*time.Second, func(c net.Conn) {
		io.WriteString(c, "220 mx.example.com ESMTP\r\n")
		r := bufio.NewReader(c)
		for {
			line, err := r.ReadString('\n')
			switch {
			case err != nil:
				return
			case strings.HasPrefix(line, "EHLO"):
				io.WriteString(c, "250-mx.example.com\r\n250 STARTTLS\r\n")
			case strings.HasPrefix(line, "STARTTLS"):
				io.WriteString(c, "220 go ahead\r\n")
				c.Read(make([]byte, 1000))
				c.Write([]byte{21, 3, 1, 0, 2, 2, 40})
				return
			}
		}
	})
	addr, stop := listening(t, server, "--json", "--no-probe")
	exec.Command(testbed.Need(t, "openssl"), "s_client", "-connect", addr, "-starttls", "smtp").Run()
	time.Sleep(200 * time.Millisecond)
	l := told(t, stop())
	if len(l) != 1 || l[0]["starttls"] != "smtp" || l[0]["failure"] != "alert handshake_failure from the server after the client's hello" || l[0]["diagnosis"] != nil {
		t.Errorf("%v", l)
	}
}

func TestTapUsage(t *testing.T) {
	for _, args := range [][]string{{"tap"}, {"tap", "lb.example.com"}, {"tap", "lb.example.com", "curl"}, {"tap", "lb.example.com", "--listen", "127.0.0.1:0", "--", "curl"},
		{"tap", "lb.example.com:x", "--listen", "127.0.0.1:0"}, {"tap", "lb.example.com", "--listen", "nowhere"}, {"tap", "lb.example.com", "--", "no-such-command"},
		{"watch"}, {"watch", "a", "b"}, {"watch", "-i", "lo", "a"}, {"watch", "no-such-file"}, {"watch", "testdata/hello-go.bin"}} {
		_, _, err := ran(t, args...)
		var exit *exitError
		if err == nil || errors.As(err, &exit) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", args, err)
		}
	}
}
