package truth

import (
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/parley-tls/parley/suite"
)

// verify has s_client of the server's own release ask for every suite that it knows, one at a time, and fails the test
// where the server does not do as its configuration was read.
func (o *openSSL) verify(t *testing.T, s *subject) {
	all := *o
	all.ciphers, all.suites, all.psk = everything, all13, true
	for v := range versionOption {
		var mu sync.Mutex
		var accepted []suite.Code
		var clients sync.WaitGroup
		slots := make(chan struct{}, 3)
		for _, c := range all.expand(t, v) {
			clients.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				if o.negotiates(s, v, c.name) {
					mu.Lock()
					accepted = append(accepted, c.code)
					mu.Unlock()
				}
			})
		}
		clients.Wait()
		want := s.truth.versions[v].items
		if wrong := without(want, accepted); len(wrong) > 0 {
			t.Errorf("%v: the configuration was read as accepting what s_client does not get: %s", v, names(wrong))
		}
		if wrong := without(accepted, want); len(wrong) > 0 {
			t.Errorf("%v: the configuration was read as refusing what s_client gets: %s", v, names(wrong))
		}
	}
}

// negotiates reports whether s_client completes a handshake with one suite of one version.
func (o *openSSL) negotiates(s *subject, v suite.Version, name string) bool {
	args := append(slices.Clone(o.program[1:]), "s_client", "-connect", s.addr, "-servername", s.serverName, versionOption[v])
	if v == suite.TLS13 {
		args = append(args, "-ciphersuites", name)
	} else {
		args = append(args, "-cipher", name+":@SECLEVEL=0")
	}
	if strings.Contains(name, "PSK") {
		args = append(args, "-psk", preSharedKey)
	}
	cmd := exec.Command(o.program[0], args...)
	cmd.Stdin = strings.NewReader("Q\n")
	out, _ := cmd.Output() // that it ends badly where the handshake fails is the answer
	return strings.Contains(string(out), "Cipher is "+name+"\n")
}
