// Prints the first bytes that this Node.js sends for each cipher string in argv, as a JSON array of hex
// strings, or of "error: MESSAGE" where it sends none. ES5 without any package: it runs on 0.10 too.
var net = require('net'), tls = require('tls');
var specs = JSON.parse(process.argv[2]), answers = [], at = -1;
var server = net.createServer(function (socket) {
  socket.on('error', function () {});
  socket.once('data', function (bytes) {
    if (bytes[0] === 22) answers[at] = bytes.toString('hex'); // not an alert: some releases send one before they give up
    socket.destroy();
  });
});
function next() {
  at++;
  if (at === specs.length) {
    console.log(JSON.stringify(answers));
    return server.close();
  }
  var over = false;
  function end(error) {
    if (over) return;
    over = true;
    answers[at] = answers[at] || 'error: ' + (error && error.message);
    setImmediate(next);
  }
  try {
    var client = tls.connect({host: '127.0.0.1', port: server.address().port, ciphers: specs[at], rejectUnauthorized: false});
    client.on('error', end);
    client.on('close', end);
  } catch (error) {
    end(error);
  }
}
server.listen(0, '127.0.0.1', next);
