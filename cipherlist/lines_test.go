package cipherlist

// fixedLines are command lines that people write, and the corners of the program.
func fixedLines() [][]string {
	lines := [][]string{
		{}, {"-v"}, {"-V"}, {"-stdname"}, {"-V", "-stdname", "ALL:COMPLEMENTOFALL"}, {"-s"}, {"-s", "-v"}, {"-help"}, {"-h"}, {""},
		{"a", "b"}, {"", "b"}, {"a", ""}, {"-nosuch"}, {"-nosuch=1"}, {"-v=1"}, {"---v"}, {"-"}, {"--", "-AES:ALL"}, {"-ssl2"}, {"-ssl3"},
		{"-convert"}, {"-convert", "NOPE"}, {"-convert", "TLS_RSA_WITH_AES_128_CBC_SHA", "ALL"}, {"-convert=TLS_AES_128_GCM_SHA256"},
		{"-convert", ""}, {"-convert", "TLS_FALLBACK_SCSV"}, {"-ciphersuites"}, {"-ciphersuites", ""}, {"-ciphersuites", "NOPE"},
		{"-ciphersuites", "NOPE", "-v", "AES128-SHA"}, {"-ciphersuites", "TLS_AES_128_GCM_SHA256:NOPE", "AES128-SHA"},
		{"-V", "-stdname", "-ciphersuites", "TLS_EMPTY_RENEGOTIATION_INFO_SCSV:TLS_FALLBACK_SCSV", "NOSUCH"},
		{"-v", "-ciphersuites", "TLS_RSA_WITH_AES_128_CBC_SHA", "NOSUCH"}, {"-s", "-tls1_3", "AES128-SHA"}, {"-s", "-tls1", "SUITEB128"},
		{"@A:@B:@C:@D:@E:@F:@G:@H:@I:@J:@K:@L:@M:@N:@O:@P:@Q"}, {"ALL:@FOO:*"}, {"RC4!AES:AES"}, {"COMPLEMENTOFDEFAULT+HIGH"},
		{"HIGH+COMPLEMENTOFDEFAULT"}, {"HIGH+FIPS"}, {"FIPS"}, {"-v", "AES128-SHA+kRSA"}, {"-v", "kRSA+AES128-SHA"},
		{"TLS_RSA_WITH_AES_128_CBC_SHA"}, {"-s", "-v", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256:AES_128"}, {"-psk", "-srp", "-s", "-v", "ALL"},
		{"-s", "-v", "-ciphersuites", "TLS_RSA_WITH_AES_128_CBC_SHA", "SUITEB128"},
		{"-ciphersuites", "TLS_GOSTR341001_WITH_NULL_GOSTR3411:TLS_AES_128_GCM_SHA256"}, {"-convert", "TLS_RSA_WITH_IDEA_CBC_SHA"},
		{"-provider", "base"}, {"-provider", "legacy"}, {"-provider", "default", "-provider", "legacy", "-v", "ALL"},
		{"-provider", "legacy", "-provider=default", "-s", "-v", "ALL:SEED:RC4:IDEA:@SECLEVEL=0"}, {"-provider"},
	}
	for _, level := range []string{"0", "1", "2", "3", "4", "5"} {
		for _, version := range []string{"-tls1", "-tls1_1", "-tls1_2", "-tls1_3", "-v"} {
			lines = append(lines, []string{"-s", "-psk", "-srp", version, "ALL:COMPLEMENTOFALL:@SECLEVEL=" + level})
		}
	}
	return lines
}
