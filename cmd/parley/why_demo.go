package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/parley-tls/parley/policy"
	"github.com/parley-tls/parley/suite"
	"github.com/spf13/cobra"
)

// The demo: an endpoint with this policy on loopback, and a client of 2013 that fails against it.
const (
	demoPolicy = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
	demoClient = "java-7u25"
	demoName   = "demo.example.com"
)

// whyDemo starts the endpoint and diagnoses the client against it.
func whyDemo(cmd *cobra.Command, f *whyFlags) error {
	l, err := demoEndpoint()
	if err != nil {
		return fmt.Errorf("--demo: %w", err)
	}
	defer l.Close()
	if f.client == "" {
		f.client = demoClient
	}
	f.serverName, f.family = demoName, string(policy.AWS)
	fmt.Fprintf(cmd.ErrOrStderr(), "An endpoint with the policy %s listens on %s; %s connects to it.\n\n", demoPolicy, l.Addr(), f.client)
	return whyLive(cmd, l.Addr().String(), f)
}

// demoEndpoint listens on loopback with Go's crypto/tls as the demo policy says.
func demoEndpoint() (net.Listener, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: demoName}, DNSNames: []string{demoName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	p := policy.ByName(demoPolicy)
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		MinVersion: uint16(p.Versions[0]), MaxVersion: uint16(p.Versions[len(p.Versions)-1])}
	for _, c := range p.Suites {
		if s := suite.ByCode(c); s.MaxVersion < suite.TLS13 {
			config.CipherSuites = append(config.CipherSuites, uint16(c))
		}
	}
	for _, g := range p.Groups {
		config.CurvePreferences = append(config.CurvePreferences, tls.CurveID(g))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.SetDeadline(time.Now().Add(10 * time.Second))
				tls.Server(conn, config).Handshake()
			}()
		}
	}()
	return l, nil
}
