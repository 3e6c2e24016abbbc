// A TLS server for Node.js 0.10.1: node server.js PORT CERT KEY CIPHERS [CA OF CLIENTS]
var fs = require('fs'), tls = require('tls'), a = process.argv;
var options = {cert: fs.readFileSync(a[3]), key: fs.readFileSync(a[4]), ciphers: a[5]};
if (a[6]) { options.requestCert = options.rejectUnauthorized = true; options.ca = [fs.readFileSync(a[6])]; }
var server = tls.createServer(options, function (s) {
  s.on('error', function () {});
  s.on('data', function () { s.end('HTTP/1.0 200 OK\r\n\r\nok\n'); });
});
server.on('clientError', function () {});
server.listen(+a[2], '127.0.0.1');
