// client.js HOST PORT [METHOD]: connects with the tls module of the Node.js that runs it.
var o = {host: process.argv[2], port: +process.argv[3], servername: 'lb.example.com', rejectUnauthorized: false};
if (process.argv[4]) o.secureProtocol = process.argv[4];
require('tls').connect(o).on('error', function () {});
