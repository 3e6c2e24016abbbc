package main

import (
	"strings"
)

// release is a release of Debian and what of its clients the names of profiles say.
type release struct {
	name, title, date string
	openssl, library  string // version, and the line as libraries name it
	gnutls, curl      string
	wget, git         string
	python            string
	requests, ruby    string
	php, perl, nss    string
	aws               string
	java              [][2]string // release, month of the update that Debian has
}

var debians = []release{
	{name: "bullseye", title: "debian11", date: "2021-08", openssl: "1.1.1w", library: "OpenSSL 1.1.1", gnutls: "3.7.1", curl: "7.74", wget: "1.21.0", git: "2.30",
		python: "3.9", requests: "2.25", ruby: "2.7", php: "7.4", perl: "5.32", nss: "3.61", aws: "1.19"},
	{name: "bookworm", title: "debian12", date: "2023-06", openssl: "3.0.20", library: "OpenSSL 3.0", gnutls: "3.7.9", curl: "7.88", wget: "1.21.3", git: "2.39",
		python: "3.11", requests: "2.28", ruby: "3.1", php: "8.2", perl: "5.36", nss: "3.87", aws: "2.9"},
	{name: "trixie", title: "debian13", date: "2025-08", openssl: "3.5.9", library: "OpenSSL 3.5", gnutls: "3.8.9", curl: "8.14", wget: "1.25", git: "2.47",
		python: "3.13", requests: "2.32", ruby: "3.3", php: "8.4", perl: "5.40", nss: "3.110", aws: "2.23", java: [][2]string{{"21", ""}}},
	{name: "sid", title: "debian-sid", date: "2026-11", openssl: "3.6.5", library: "OpenSSL 3.6", gnutls: "3.8.13", curl: "8.23",
		python: "3.14", java: [][2]string{{"8", ""}, {"11", ""}, {"17", ""}, {"25", ""}}},
}

// released are the months in which the upstream projects released what Debian's packages hold.
var released = map[string]string{
	"openssl-1.1.1w": "2023-09", "openssl-3.0.20": "2026-04", "openssl-3.5.9": "2026-09", "openssl-3.6.5": "2026-09",
	"gnutls-3.7.1": "2021-03", "gnutls-3.7.9": "2023-02", "gnutls-3.8.9": "2025-02", "gnutls-3.8.13": "2026-05",
	"curl-7.74": "2020-12", "curl-7.88": "2023-02", "curl-8.14": "2025-06", "curl-8.23": "2026-10",
	"wget-1.21.0": "2020-12", "wget-1.21.3": "2022-02", "wget-1.25": "2024-11", "wget2-2.2": "2024-11",
	"git-2.30": "2020-12", "git-2.39": "2022-12", "git-2.47": "2024-10",
	"python-2.7": "2020-04", "python-3.9": "2020-10", "python-3.11": "2022-10", "python-3.13": "2024-10", "python-3.14": "2025-10",
	"python-requests-2.25": "2020-12", "python-requests-2.28": "2022-06", "python-requests-2.32": "2024-05",
	"ruby-2.7": "2019-12", "ruby-3.1": "2021-12", "ruby-3.3": "2023-12",
	"php-7.4": "2019-11", "php-8.2": "2022-12", "php-8.4": "2024-11",
	"perl-5.32": "2020-06", "perl-5.36": "2022-05", "perl-5.40": "2024-06",
	"nss-3.61": "2021-01", "nss-3.87": "2023-01", "nss-3.110": "2025-04",
	"aws-cli-1.19": "2021-02", "aws-cli-2.9": "2023-01", "aws-cli-2.23": "2025-02",
	"boto3-1.17": "2021-02",
	"java-8":     "2014-03", "java-11": "2018-09", "java-17": "2021-09", "java-21": "2023-09", "java-25": "2025-09",
}

// debian lists the clients of one tree.
func debian(tree string, r release) []subject {
	var l []subject
	platform := "Debian " + strings.TrimPrefix(strings.TrimPrefix(r.title, "debian"), "-")
	add := func(name, title, family, library string, env []string, command ...string) {
		l = append(l, subject{name: name, title: title, family: family, library: library, released: released[name], platform: platform,
			command: command, env: env, tree: tree})
	}
	line := strings.TrimPrefix(r.library, "OpenSSL ")
	defaults := "DEFAULT"
	if r.name == "bullseye" || r.name == "bookworm" {
		defaults = "DEFAULT:@SECLEVEL=1" // as the project itself builds it; Debian's builds start with 2
	}
	add("openssl-"+r.openssl, "OpenSSL "+r.openssl, "openssl", r.library, []string{"OPENSSL_CONF=/dev/null"},
		"openssl", "s_client", "-connect", "ADDR", "-servername", "NAME", "-cipher", defaults)
	l[0].platform = ""
	if r.name != "sid" {
		add("openssl-"+line+"-"+r.title, "OpenSSL "+line, "openssl", r.library, nil, "openssl", "s_client", "-connect", "ADDR", "-servername", "NAME")
		l[1].released = r.date
	}
	add("gnutls-"+r.gnutls, "GnuTLS "+r.gnutls, "gnutls", "GnuTLS "+r.gnutls[:3], nil,
		"gnutls-cli", "--insecure", "--sni-hostname", "NAME", "-p", "PORT", "HOST")
	add("curl-"+r.curl, "curl "+r.curl, "curl", r.library, nil, "curl", "-sk", "--max-time", "20", "--resolve", "NAME:PORT:HOST", "https://NAME:PORT/")
	add("python-"+r.python, "Python "+r.python, "python", r.library, nil, "/usr/bin/python"+r.python, "-c", pythonScript)
	if r.name == "bullseye" {
		add("python-2.7", "Python 2.7", "python", r.library, nil, "/usr/bin/python2.7", "-c", pythonScript)
		l[len(l)-1].title = "Python 2.7.18"
	}
	for _, j := range r.java {
		n := j[0]
		home := "/usr/lib/jvm/java-" + n + "-openjdk-amd64"
		java := home + "/bin/java"
		if n == "8" {
			java = home + "/jre/bin/java"
		}
		add("java-"+n, "OpenJDK "+n+", current update", "java", "JSSE", nil, java, "-cp", "WORK", "JavaClient", "HOST", "PORT", "NAME")
		l[len(l)-1].java = true
	}
	if r.wget == "" {
		return l
	}
	if r.name == "bookworm" {
		add("gnutls-legacy", "GnuTLS "+r.gnutls+" (priority LEGACY)", "gnutls-legacy", "GnuTLS 3.7", nil,
			"gnutls-cli", "--insecure", "--sni-hostname", "NAME", "--priority", "LEGACY", "-p", "PORT", "HOST")
		l[len(l)-1].released = released["gnutls-"+r.gnutls]
	}
	add("wget-"+r.wget, "GNU Wget "+r.wget, "wget", "GnuTLS "+r.gnutls[:3], nil, "wget", "-q", "-O", "-", "--no-check-certificate", "--tries=1", "--timeout=20", "https://NAME:PORT/")
	if r.name == "trixie" {
		add("wget2-2.2", "GNU Wget2 2.2", "wget", "GnuTLS 3.8", nil, "wget2", "-q", "-O", "-", "--no-check-certificate", "--tries=1", "--timeout=20", "https://NAME:PORT/")
	}
	add("git-"+r.git, "git "+r.git, "git", "GnuTLS "+r.gnutls[:3]+" (libcurl)", nil, "git", "-c", "http.sslVerify=false", "ls-remote", "https://NAME:PORT/x.git")
	add("python-requests-"+r.requests, "Requests "+r.requests+", Python "+r.python, "python-requests", r.library, nil,
		"/usr/bin/python"+r.python, "-c", "import requests; requests.get('https://NAME:PORT/', timeout=20)")
	add("ruby-"+r.ruby, "Ruby "+r.ruby+" (net/http)", "ruby", r.library, nil, "/usr/bin/ruby"+r.ruby, "-rnet/http", "-e", "Net::HTTP.get(URI('https://NAME:PORT/'))")
	add("php-"+r.php, "PHP "+r.php+" (streams)", "php", r.library, nil, "/usr/bin/php"+r.php, "-r", "file_get_contents('https://NAME:PORT/');")
	add("perl-"+r.perl, "Perl "+r.perl+" (IO::Socket::SSL)", "perl", r.library, nil,
		"perl", "-MIO::Socket::SSL", "-e", "IO::Socket::SSL->new(PeerAddr=>'HOST',PeerPort=>PORT,SSL_hostname=>'NAME',SSL_verify_mode=>0)")
	add("nss-"+r.nss, "NSS "+r.nss+" (tstclnt)", "nss", "NSS "+r.nss, nil, "/usr/bin/tstclnt", "-h", "NAME", "-p", "PORT", "-o", "-D")
	add("aws-cli-"+r.aws, "AWS CLI "+r.aws+", Python "+r.python, "aws-cli", r.library,
		[]string{"AWS_ACCESS_KEY_ID=example", "AWS_SECRET_ACCESS_KEY=example", "AWS_DEFAULT_REGION=eu-west-1", "AWS_EC2_METADATA_DISABLED=true"},
		"aws", "--endpoint-url", "https://NAME:PORT", "s3", "ls")
	if r.name == "bullseye" { // later ones hold their SDK inside the CLI
		add("boto3-1.17", "AWS SDK for Python (boto3 1.17, botocore 1.20), Python "+r.python, "boto3", r.library, nil, "/usr/bin/python"+r.python, "-c", botoScript)
	}
	return l
}

const botoScript = `
import botocore.session
botocore.session.get_session().create_client("s3", region_name="eu-west-1", endpoint_url="https://NAME:PORT",
    aws_access_key_id="example", aws_secret_access_key="example").list_buckets()
`

const pythonScript = `
import socket, ssl
c = ssl.create_default_context()
c.wrap_socket(socket.create_connection(("HOST", PORT)), server_hostname="NAME")
`
