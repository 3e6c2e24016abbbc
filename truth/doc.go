// Package truth holds `parley scan` against endpoints of which it is known what they accept, because the test
// configured them: versions, suites, groups, and whose order counts.
//
// What an endpoint accepts is worked out from its configuration by other means than the scanner's: by `openssl
// ciphers`, by `gnutls-cli --list`, and where a configuration cannot say, by the program's own client, which asks for
// one suite at a time. `make truth` also asks OpenSSL's endpoints for every suite by s_client, runs sslscan, nmap and
// testssl.sh against all of them, and writes RESULTS.md.
package truth
