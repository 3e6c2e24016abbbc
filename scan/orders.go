package scan

import "github.com/parley-tls/parley/suite"

// goOrder is the order of preference that Go's crypto/tls imposes on servers whatever they are configured with
// (cipherSuitesPreferenceOrder and defaultCipherSuitesTLS13, since Go 1.17), on machines with AES instructions.
var goOrder = []suite.Code{
	0x1301, 0x1302, 0x1303,
	0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8,
	0xC009, 0xC013, 0xC00A, 0xC014,
	0x009C, 0x009D, 0x002F, 0x0035,
	0xC012, 0x000A,
	0xC023, 0xC027, 0x003C,
	0xC007, 0xC011, 0x0005,
}
