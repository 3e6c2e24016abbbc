package cipherlist

// The options of each release's program. The summaries list what the mirrored build has.
var (
	options102 = optionStyle{strings: true, shortHelp: true, help: `usage: ciphers args
 -v          - verbose mode, a textual listing of the SSL/TLS ciphers in OpenSSL
 -V          - even more verbose
 -ssl3       - SSL3 mode
 -tls1       - TLS1 mode
`}
	options111 = optionStyle{unknown: "Option unknown option -%s", help: `Usage: ciphers [options]
Valid options are:
 -help              Display this summary
 -v                 Verbose listing of the SSL/TLS ciphers
 -V                 Even more verbose
 -s                 Only supported ciphers
 -tls1              TLS1 mode
 -tls1_1            TLS1.1 mode
 -tls1_2            TLS1.2 mode
 -tls1_3            TLS1.3 mode
 -stdname           Show standard cipher names
 -psk               include ciphersuites requiring PSK
 -srp               include ciphersuites requiring SRP
 -convert val       Convert standard name into OpenSSL name
 -ciphersuites val  Configure the TLSv1.3 ciphersuites to use
`}
	options30 = optionStyle{unknown: "Unknown option: -%s", shortHelp: true,
		providers: []string{"provider-path", "provider", "propquery"}, help: modernHelp + propqueryHelp}
	options35 = optionStyle{unknown: "Unknown option: -%s", shortHelp: true, namesExtra: true,
		providers: []string{"provider-path", "provider", "provparam", "propquery"},
		help:      modernHelp + " -provparam val      Set a provider key-value parameter\n" + propqueryHelp}
)

const modernHelp = `Usage: ciphers [options] [cipher]

General options:
 -help               Display this summary

Output options:
 -v                  Verbose listing of the SSL/TLS ciphers
 -V                  Even more verbose
 -stdname            Show standard cipher names
 -convert val        Convert standard name into OpenSSL name

Cipher specification options:
 -s                  Only supported ciphers
 -tls1               Ciphers compatible with TLS1
 -tls1_1             Ciphers compatible with TLS1.1
 -tls1_2             Ciphers compatible with TLS1.2
 -tls1_3             Ciphers compatible with TLS1.3
 -psk                Include ciphersuites requiring PSK
 -srp                (deprecated) Include ciphersuites requiring SRP
 -ciphersuites val   Configure the TLSv1.3 ciphersuites to use

Provider options:
 -provider-path val  Provider load path (must be before 'provider' argument if required)
 -provider val       Provider to load (can be specified multiple times)
`

const propqueryHelp = ` -propquery val      Property query used when fetching algorithms

Parameters:
 cipher              Cipher string to decode (optional)
`
