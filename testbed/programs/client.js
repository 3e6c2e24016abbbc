// A TLS client for Node.js from 0.10 on: node client.js '{"host":…,"port":…,"servername":…,"ca":PATH,…}'
// It sends one HTTP request and prints what was negotiated when the answer comes.
var fs = require('fs'), tls = require('tls');
var o = JSON.parse(process.argv[2]);
o.ca = fs.readFileSync(o.ca, 'ascii').match(/-----BEGIN[^-]*-----[^-]*-----END[^-]*-----\n/g); // old ones read only the first of a file
o.rejectUnauthorized = true;
var s = tls.connect(o, function () { s.write('GET / HTTP/1.0\r\n\r\n'); });
s.on('data', function () {
  var c = s.getCipher();
  console.log('OK', s.getProtocol ? s.getProtocol() : '-', c && c.name);
  process.exit(0);
});
s.on('error', function (e) { console.log('FAIL', e.message, e.code || ''); process.exit(1); });
s.on('end', function () { console.log('FAIL', 'closed'); process.exit(1); });
s.on('close', function () { console.log('FAIL', 'closed'); process.exit(1); });
