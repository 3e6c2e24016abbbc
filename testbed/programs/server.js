// A TLS server for Node.js from 0.10 on: node server.js '{"port":1,"options":{…},"cert":[…],"key":[…]}'
// It answers one HTTP request and closes.
var fs = require('fs'), tls = require('tls');
var a = JSON.parse(process.argv[2]), o = a.options;
function read(path) { return fs.readFileSync(path); }
o.cert = a.cert.length > 1 ? a.cert.map(read) : read(a.cert[0]);
o.key = a.key.length > 1 ? a.key.map(read) : read(a.key[0]);
if (a.ca) o.ca = read(a.ca);
var server = tls.createServer(o, function (s) {
  s.on('error', function () {});
  var text = '';
  s.on('data', function (d) {
    text += d;
    if (text.indexOf('\r\n\r\n') >= 0) s.end('HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n');
  });
});
server.on('clientError', function (e) { console.error(String(e)); });
server.on('tlsClientError', function (e) { console.error(String(e)); });
server.listen(a.port, '127.0.0.1');
