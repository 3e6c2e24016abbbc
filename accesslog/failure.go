package accesslog

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"

	"github.com/parley-tls/parley/cause"
	"github.com/parley-tls/parley/suite"
)

// meaning is what a word or a number of a failure says; the cause is empty where it does not decide.
type meaning struct {
	words string
	cause cause.ID
}

//go:embed mutual-tls.tsv
var mutualTLSTSV string

// mutualTLS are the statuses of ALB connection logs.
var mutualTLS = sync.OnceValue(func() map[string]meaning {
	m := map[string]meaning{}
	for f := range records(mutualTLSTSV, 3) {
		m[f[0]] = meaning{f[2], decided(f[1])}
	}
	return m
})

//go:embed alerts.tsv
var alertsTSV string

// clientAlerts are the alerts that a client ends a handshake with.
var clientAlerts = sync.OnceValue(func() map[int]meaning { return byNumber(alertsTSV) })

//go:embed openssl-reasons.tsv
var reasonsTSV string

// reasons are the numbers of OpenSSL's errors, without those of alerts that were received.
var reasons = sync.OnceValue(func() map[int]meaning { return byNumber(reasonsTSV) })

func byNumber(tsv string) map[int]meaning {
	m := map[int]meaning{}
	for f := range records(tsv, 4) {
		n, err := strconv.Atoi(f[0])
		if err != nil {
			panic("accesslog: " + err.Error())
		}
		m[n] = meaning{f[1], decided(f[2])}
	}
	return m
}

func decided(s string) cause.ID {
	if s == "-" {
		return ""
	}
	return cause.ID(s)
}

// noAlert stands for a handshake that failed without an alert from the client.
const noAlert = "failed, no alert from the client"

// alertFailure says what a failed handshake is, given the number of the client's alert or "-".
func alertFailure(number string) (words string, why cause.ID) {
	n, err := strconv.ParseUint(number, 10, 8)
	if err != nil || none(number) {
		return noAlert, ""
	}
	return "alert from the client: " + suite.Alert(n).String(), clientAlerts()[int(n)].cause
}

// opensslAlerts is what OpenSSL adds to the number of an alert that it received (SSL_AD_REASON_OFFSET).
const opensslAlerts = 1000

// opensslFailure reads a text that has an error of OpenSSL in it, "error:0A0000C1:SSL routines::no shared cipher", or else
// keeps the text.
func opensslFailure(text string) (words string, why cause.ID) {
	if text == "" {
		return "handshake failed", ""
	}
	i := strings.Index(text, "error:")
	if i < 0 {
		return text, ""
	}
	parts := strings.SplitN(text[i:], ":", 6) // error, code, library, function, reason, more
	if len(parts) < 5 {
		return text, ""
	}
	code, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil {
		return text, ""
	}
	words = parts[4]
	if end := strings.IndexAny(words, "(),"); end >= 0 {
		words = words[:end]
	}
	known, why := reasonFailure(code)
	if words = strings.TrimSpace(words); words == "" {
		words = known
	}
	return words, why
}

// reasonFailure says what the code of an OpenSSL error means: its low bits are the reason in every release since 1.0.
func reasonFailure(code uint64) (words string, why cause.ID) {
	n := int(code & 0xFFF)
	if n >= opensslAlerts && n < opensslAlerts+256 {
		return "alert from the client: " + suite.Alert(n-opensslAlerts).String(), clientAlerts()[n-opensslAlerts].cause
	}
	if m, ok := reasons()[n]; ok {
		return m.words, m.cause
	}
	return "OpenSSL error " + strconv.FormatUint(code, 16), ""
}
