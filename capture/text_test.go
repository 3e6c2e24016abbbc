package capture

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestForms reads one hello in every form in which people pass hellos around.
func TestForms(t *testing.T) {
	for name, raw := range corpus(t) {
		msg := raw[5:] // without the header of the record
		b64 := base64.StdEncoding.EncodeToString(raw)
		var list, colons, wrapped, pem strings.Builder
		for i, b := range raw {
			fmt.Fprintf(&list, "0x%x, ", b)
			fmt.Fprintf(&colons, "%02X:", b)
			if i%20 == 19 {
				list.WriteString("\n\t")
			}
		}
		for s := b64; s != ""; s = s[min(64, len(s)):] {
			wrapped.WriteString(s[:min(64, len(s))] + "\r\n")
		}
		pem.WriteString("-----BEGIN CLIENTHELLO-----\n" + wrapped.String() + "-----END CLIENTHELLO-----\n")
		forms := map[string][]byte{
			"raw":                raw,
			"raw, more after it": append(bytes.Clone(raw), 0x17, 3, 3, 0, 1, 0),
			"hex":                []byte(hex.EncodeToString(raw)),
			"HEX, newline":       []byte(strings.ToUpper(hex.EncodeToString(raw)) + "\n"),
			"spaced":             []byte(fmt.Sprintf("% x\n", raw)),
			"comments":           []byte("# of " + name + "\n\n" + fmt.Sprintf("% x # all of it\n", raw)),
			"colons":             []byte(strings.TrimSuffix(colons.String(), ":")),
			"a list in C":        []byte("{ " + list.String() + "};\n"),
			"a string in C":      []byte(`"\x` + strings.Join(strings.Fields(fmt.Sprintf("% x", raw)), `\x`) + `"`),
			"hexdump -C":         []byte(hex.Dump(raw)),
			"Wireshark":          []byte(wireshark(raw)),
			"base64":             []byte(b64),
			"base64, wrapped":    []byte(wrapped.String()),
			"base64, armoured":   []byte(pem.String()),
			"base64, URL":        []byte(base64.RawURLEncoding.EncodeToString(raw)),
		}
		if !bytes.HasPrefix(raw, []byte{0x80}) && raw[0] == 22 {
			forms["a bare message in hex"] = []byte(hex.EncodeToString(msg))
			forms["openssl -msg"] = []byte(">>> TLS 1.0, RecordHeader [length 0005]\n    16 03 01 00 10\n>>> TLS 1.3, Handshake [length 013b], ClientHello\n    " +
				strings.ReplaceAll(fmt.Sprintf("% x", msg), " ff ", " ff\n    ") + "\n<<< TLS 1.3, Handshake\n    02 00\n")
		}
		for form, text := range forms {
			found, err := Bytes(form, text)
			if err != nil || len(found) != 1 {
				t.Errorf("%s as %s: %v", name, form, err)
				continue
			}
			got, err := found[0].Hello.Marshal()
			if err != nil {
				t.Errorf("%s as %s: %v", name, form, err)
			} else if strings.Contains(form, "bare") || strings.Contains(form, "-msg") {
				if !bytes.Equal(got[5:], msg) {
					t.Errorf("%s as %s: another hello", name, form)
				}
			} else if !bytes.Equal(got, raw) {
				t.Errorf("%s as %s: another hello", name, form)
			}
		}
	}
}

// wireshark prints bytes as its "Copy as hex dump" does.
func wireshark(raw []byte) string {
	var b strings.Builder
	for at := 0; at < len(raw); at += 16 {
		line := raw[at:min(at+16, len(raw))]
		fmt.Fprintf(&b, "%04x   %-47s   ", at, fmt.Sprintf("% x", line))
		for _, c := range line {
			if c < ' ' || c > '~' {
				c = '.'
			}
			b.WriteByte(c)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// TestDumpPrograms reads what the dump programs of this machine print.
func TestDumpPrograms(t *testing.T) {
	for name, raw := range corpus(t) {
		file := filepath.Join(t.TempDir(), "hello")
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"xxd", "xxd -p", "xxd -i", "xxd -g1", "hexdump -C", "od -Ax -tx1z", "od -Ax -tx1", "base64"} {
			args := append(strings.Fields(command), file)
			if _, err := exec.LookPath(args[0]); err != nil {
				if os.Getenv("CI") == "true" && args[0] != "xxd" {
					t.Errorf("%s is missing", args[0])
				}
				continue
			}
			out, err := exec.Command(args[0], args[1:]...).Output()
			if err != nil {
				t.Fatal(err)
			}
			if command == "xxd -i" { // an array with a name, and its length
				out = out[bytes.IndexByte(out, '{'):bytes.IndexByte(out, '}')]
			}
			found, err := Bytes(command, out)
			if err != nil {
				t.Errorf("%s by %s: %v", name, command, err)
				continue
			}
			if got, _ := found[0].Hello.Marshal(); !bytes.Equal(got, raw) {
				t.Errorf("%s by %s: another hello", name, command)
			}
		}
	}
}

// TestSClientMsg reads what `openssl s_client -msg` prints.
func TestSClientMsg(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is missing")
		}
		t.Skip("openssl is missing")
	}
	server := exec.Command("openssl", "s_server", "-accept", "127.0.0.1:0", "-nocert", "-cipher", "aNULL:@SECLEVEL=0", "-naccept", "1")
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer server.Wait()
	defer server.Process.Kill()
	buf := make([]byte, 4096)
	var text string
	for !strings.Contains(text, "ACCEPT 127.0.0.1:") || !strings.HasSuffix(text, "\n") {
		n, err := stdout.Read(buf)
		if err != nil {
			t.Fatalf("s_server: %v %s", err, text)
		}
		text += string(buf[:n])
	}
	addr := strings.TrimSpace(text[strings.Index(text, "ACCEPT ")+len("ACCEPT "):])
	client := exec.Command("openssl", "s_client", "-connect", addr, "-msg", "-tls1_2", "-cipher", "ADH-AES128-SHA:@SECLEVEL=0", "-alpn", "h2")
	out, _ := client.Output()
	found, err := Bytes("msg", out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if o := found[0].Hello.Offer(); len(o.Suites) != 1 || o.Suites[0] != 0x34 || len(o.ALPN) != 1 {
		t.Errorf("offer %+v", o)
	}
}

// TestBadText gives one clear line that says what is wrong, and where.
func TestBadText(t *testing.T) {
	raw := corpus(t)["openssl-3.0-default"]
	dump := strings.Split(hex.Dump(raw), "\n")
	for text, says := range map[string]string{
		"":                              "an empty file",
		" \n\t":                         "an empty file",
		"\n# none\n":                    "no hex digits",
		"hello there, this is no hello": `line 1: "hello" is neither hex`,
		"16 03 01 0g":                   `line 1: "0g" is neither hex`,
		"160301 0":                      `"0" is neither hex`,
		"16 03 01\n02 00\nxy":           "line 3",
		"GET / HTTP/1.1\r\n":            `"GET" is neither hex`,
		fmt.Sprintf("%x", raw[:100]):    "a truncated ClientHello: it ends after 100 bytes",
		string(raw[:100]):               "a truncated ClientHello: it ends after 100 bytes",
		base64.StdEncoding.EncodeToString(raw[:99]):                              "base64: a truncated ClientHello: it ends after 99 bytes",
		strings.Join(append(append([]string{}, dump[:3]...), dump[4:]...), "\n"): `line 4: offset "00000040" where 0030 is expected`,
		"HTTP/1.1 400 Bad Request\x00":                                           "these bytes are HTTP",
		"SSH-2.0-OpenSSH_9.2\r\n\x00":                                            "these bytes are SSH",
		"\x00\x01\x02\x03\x04\x05\x06":                                           "no ClientHello: the bytes begin with 00 01 02",
		"\x1f\x8b\x08\x00":                                                       "gzip",
		"15 03 01 00 02 02 28":                                                   "no ClientHello: it begins with 15 03 01",
		"16 03 03 00 04 02 00 00 00":                                             "a handshake message of type 2",
		"PK\x03\x04\x00\x00\x00":                                                 "the bytes begin with 50 4b",
		strings.Repeat("16 ", maxText/3+1):                                       "too long for a single hello",
	} {
		_, err := Bytes("f", []byte(text))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 200 {
			t.Errorf("%.40q: %v, it should say %q", text, err, says)
		}
	}
}
