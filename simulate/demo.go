package simulate

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/pem"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"time"
)

//go:embed demo.json
var demoData string

// relative is a time in the demo: so many days or minutes from now.
var relative = regexp.MustCompile(`@([+-]\d+)([dm])`)

// Demo is a state to try Parley on: two accounts, with load balancers of every kind and of differing policies in three regions,
// one at which many clients fail since a change that is in the history, and a role in the second account.
func Demo(now time.Time) State {
	text := relative.ReplaceAllStringFunc(demoData, func(m string) string {
		parts := relative.FindStringSubmatch(m)
		n, err := strconv.Atoi(parts[1])
		if err != nil {
			panic(fmt.Sprintf("simulate: demo.json: %s: %v", m, err))
		}
		if parts[2] == "d" {
			return stamp(now.AddDate(0, 0, n))
		}
		return stamp(now.Add(time.Duration(n) * time.Minute))
	})
	s, err := ReadState([]byte(text))
	if err == nil {
		err = s.certify(now)
	}
	if err != nil {
		panic("simulate: demo.json: " + err.Error())
	}
	return s
}

// certify makes the certificates of IAM that the demo names: "@pem NAME DAYS DAYS", from when until when it is valid.
func (s State) certify(now time.Time) error {
	for _, a := range s.Accounts {
		for _, o := range a.ServerCertificates {
			var name string
			var from, to int
			if _, err := fmt.Sscanf(fmt.Sprint(o["CertificateBody"]), "@pem %s %d %d", &name, &from, &to); err != nil {
				return err
			}
			text, err := selfSigned(name, now.AddDate(0, 0, from), now.AddDate(0, 0, to))
			if err != nil {
				return err
			}
			o["CertificateBody"] = text
		}
	}
	return nil
}

// selfSigned makes a certificate whose key nobody keeps.
func selfSigned(name string, from, to time.Time) (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), nil
}

// Empty is an account with nothing in it, whose user has the same key as the demo's.
func Empty() State {
	return State{Accounts: []Account{{ID: "111122223333", Users: []User{{Name: "demo", Key: DemoKey, Secret: DemoKey}}}}}
}

// DemoKey is both halves of the demo user's access key, which opens nothing but a simulation.
const DemoKey = "simulated"
