package main

import (
	"path/filepath"
	"strings"
)

// subjects lists every client that the program knows to run.
func subjects(root string) []subject {
	peers := filepath.Join(root, ".peers")
	l := nodes(peers)
	l = append(l, golangs(root)...)
	l = append(l, awsSDKs(peers)...)
	l = append(l, chromiums(peers)...)
	for _, release := range debians {
		l = append(l, debian(filepath.Join(peers, "debian", release.name), release)...)
	}
	return append(l, runtimes(peers)...)
}

// nodes are the releases of Node.js that make peers installs.
func nodes(peers string) []subject {
	const script = "var s=require('tls').connect({port:PORT,host:'HOST',servername:'NAME',rejectUnauthorized:false});s.on('error',function(){})"
	var l []subject
	for _, n := range [][3]string{
		{"0.10", "2013-03", "OpenSSL 1.0.1"}, {"0.12", "2015-02", "OpenSSL 1.0.1"}, {"4", "2015-09", "OpenSSL 1.0.2"},
		{"6", "2016-04", "OpenSSL 1.0.2"}, {"8", "2017-05", "OpenSSL 1.0.2"}, {"10", "2018-04", "OpenSSL 1.1.1"},
		{"12", "2019-04", "OpenSSL 1.1.1"}, {"14", "2020-04", "OpenSSL 1.1.1"}, {"16", "2021-04", "OpenSSL 1.1.1"},
		{"18", "2022-04", "OpenSSL 3.0"}, {"20", "2023-04", "OpenSSL 3.0"}, {"22", "2024-04", "OpenSSL 3.0"},
		{"24", "2025-05", "OpenSSL 3.5"}, {"26", "2026-04", "OpenSSL 3.5"},
	} {
		l = append(l, subject{name: "nodejs-" + n[0], title: "Node.js " + n[0], family: "nodejs", library: n[2], released: n[1],
			command: []string{newest(filepath.Join(peers, "node", n[0]+".*", "bin", "node")), "-e", script}})
	}
	return l
}

// awsSDKs are the AWS SDK for JavaScript on releases of Node.js.
func awsSDKs(peers string) []subject {
	const script = "var s=require('SDK');new s.S3Client({region:'eu-west-1',endpoint:'https://localhost:PORT',forcePathStyle:true,maxAttempts:1," +
		"credentials:{accessKeyId:'example',secretAccessKey:'example'}}).send(new s.ListBucketsCommand({})).catch(function(){})"
	sdk := filepath.Join(peers, "aws-sdk-js", "node_modules", "@aws-sdk", "client-s3")
	var l []subject
	for _, n := range [][3]string{{"20", "2024-01", "OpenSSL 3.0"}, {"24", "2025-06", "OpenSSL 3.5"}} {
		s := subject{name: "aws-sdk-js-3-node" + n[0], title: "AWS SDK for JavaScript v3, Node.js " + n[0], family: "aws-sdk-js", library: n[2], released: n[1],
			command: []string{newest(filepath.Join(peers, "node", n[0]+".*", "bin", "node")), "-e", strings.ReplaceAll(script, "SDK", sdk)}}
		if newest(sdk) == "" {
			s.command[0] = ""
		}
		l = append(l, s)
	}
	return l
}

// newest returns the last path that matches, or nothing.
func newest(pattern string) string {
	matches, _ := filepath.Glob(pattern)
	if len(matches) == 0 {
		return ""
	}
	return matches[len(matches)-1]
}

// golangs are releases of Go; its own toolchain switch fetches them.
func golangs(root string) []subject {
	var l []subject
	for _, g := range [][2]string{
		{"1.2.2", "2013-12"}, {"1.3.3", "2014-06"}, {"1.4.3", "2014-12"}, {"1.5.4", "2015-08"}, {"1.6.4", "2016-02"},
		{"1.7.6", "2016-08"}, {"1.8.7", "2017-02"}, {"1.9.7", "2017-08"}, {"1.10.8", "2018-02"}, {"1.11.13", "2018-08"},
		{"1.12.17", "2019-02"}, {"1.13.15", "2019-09"}, {"1.14.15", "2020-02"}, {"1.15.15", "2020-08"}, {"1.16.15", "2021-02"},
		{"1.17.13", "2021-08"}, {"1.18.10", "2022-03"}, {"1.19.13", "2022-08"}, {"1.20.14", "2023-02"}, {"1.21.13", "2023-08"},
		{"1.22.12", "2024-02"}, {"1.23.12", "2024-08"}, {"1.24.13", "2025-02"}, {"1.25.4", "2025-08"}, {"1.26.0", "2026-02"},
	} {
		minor := g[0][:strings.LastIndex(g[0], ".")]
		l = append(l, subject{name: "go-" + minor, title: "Go " + minor, family: "go", library: "crypto/tls", released: g[1],
			build:   []string{"go", "build", "-o", "WORK/go-" + minor, filepath.Join(root, "testbed", "captureclients", "goclient", "main.go")},
			command: []string{"WORK/go-" + minor, "ADDR", "NAME"},
			env:     []string{"GOTOOLCHAIN=go" + g[0], "GOFLAGS=-p=2", "CGO_ENABLED=0"}})
	}
	return l
}

// chromiums are the headless builds that install.sh unpacks: the folder, Chromium's release, its date. Those between
// 113 and 127 start here and never connect.
func chromiums(peers string) []subject {
	var l []subject
	for _, c := range [][3]string{
		{"64.0.3264", "64", "2018-01"}, {"67.0.3372", "67", "2018-05"}, {"1.19.0", "77", "2019-09"},
		{"2.1.1", "80", "2020-02"}, {"3.1.1", "83", "2020-05"}, {"5.5.0", "88", "2021-01"}, {"7.0.0", "90", "2021-04"}, {"10.1.0", "92", "2021-07"},
		{"103.0.0", "103", "2022-06"}, {"106.0.2", "106", "2022-09"}, {"110.0.1", "110", "2023-02"},
		{"129.0.0", "129", "2024-09"}, {"131.0.1", "131", "2024-11"}, {"133.0.0", "133", "2025-02"}, {"138.0.2", "138", "2025-06"}, {"140.0.0", "140", "2025-09"},
		{"143.0.4", "143", "2025-12"}, {"147.0.2", "147", "2026-04"}, {"149.0.0", "149", "2026-06"}, {"153.0.0", "153", "2026-08"},
	} {
		folder := filepath.Join(peers, "chromium", c[0])
		libs := newest(filepath.Join(folder, "libs", "lib"))
		if libs == "" {
			libs = newest(filepath.Join(folder, "libs", "*", "lib"))
		}
		l = append(l, subject{name: "chrome-" + c[1], title: "Chrome " + c[1], family: "chrome", platform: "headless build", library: "BoringSSL", released: c[2],
			command: append([]string{newest(filepath.Join(folder, "chromium"))}, chromiumFlags...),
			env:     []string{"LD_LIBRARY_PATH=" + libs, "HOME=/tmp"}})
	}
	return l
}

// chromiumFlags: without the experiment of which Chrome 80 let some users be part.
var chromiumFlags = []string{"--disable-features=PostQuantumCECPQ2,PostQuantumCECPQ2SomeDomains", "--headless", "--no-sandbox", "--disable-gpu", "--disable-software-rasterizer", "--disable-dev-shm-usage", "--no-zygote", "--no-first-run", "--disable-background-networking", "--disable-component-update",
	"--user-data-dir=WORK/chromium", "--host-resolver-rules=MAP NAME HOST", "--dump-dom", "https://NAME:PORT/"}

// runtimes are JavaScript runtimes whose TLS is not OpenSSL.
func runtimes(peers string) []subject {
	var l []subject
	for _, d := range [][2]string{{"1.46.3", "2024-08"}, {"2.0.6", "2024-10"}, {"2.9.6", "2026-09"}} {
		minor := d[0][:strings.LastIndex(d[0], ".")]
		l = append(l, subject{name: "deno-" + minor, title: "Deno " + minor, family: "deno", library: "rustls", released: d[1],
			command: []string{newest(filepath.Join(peers, "deno", d[0], "deno")), "eval", "await Deno.connectTls({hostname:'localhost',port:PORT})"},
			env:     []string{"DENO_NO_UPDATE_CHECK=1"}})
	}
	for _, b := range [][2]string{{"1.0.36", "2024-03"}, {"1.3.8", "2026-01"}} {
		minor := b[0][:strings.LastIndex(b[0], ".")]
		l = append(l, subject{name: "bun-" + minor, title: "Bun " + minor, family: "bun", library: "BoringSSL", released: b[1],
			command: []string{newest(filepath.Join(peers, "bun", b[0], "bin", "bun")), "-e", "await fetch('https://localhost:PORT/')"}})
	}
	return l
}
