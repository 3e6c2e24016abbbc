// A TLS server for Node.js from 0.10 on, and what it accepts:
//   node everything.js '{"port":1,"out":PATH,"cert":PATH,"key":PATH,"options":{…},"methods":{"SSLv3":{"secureProtocol":"SSLv3_method"},…},"ciphers":[…]}'
// When it listens, a client asks for every cipher by every method, one at a time; OUT then gets a line "node VERSION
// CIPHER" for each that was negotiated. The client is a process of its own, since some refusals crash that of 0.10.
var fs = require('fs'), tls = require('tls'), spawn = require('child_process').spawn;
var a = JSON.parse(process.argv[2]), todo = [];
Object.keys(a.methods).forEach(function (version) {
  a.ciphers.forEach(function (cipher) { todo.push([version, cipher]); });
});
if (process.argv[3]) ask(+process.argv[3]);
else serve();

function serve() {
  var o = a.options;
  o.cert = fs.readFileSync(a.cert);
  o.key = fs.readFileSync(a.key);
  if (a.dhparam) o.dhparam = fs.readFileSync(a.dhparam);
  var server = tls.createServer(o, function (s) {
    s.on('error', function () {});
    s.on('data', function () {});
    s.on('end', function () { s.end(); });
  });
  server.on('clientError', function () {});
  server.listen(a.port, '127.0.0.1', function () { client(0, ''); });
}

// client has a process ask for all from one place of the list on, and another go on behind where it crashed.
function client(from, lines) {
  var text = '', child = spawn(process.execPath, process.execArgv.concat([process.argv[1], process.argv[2], String(from)]));
  child.stdout.on('data', function (d) { text += d; });
  child.on('close', function () {
    var asked = text.split('\n').slice(0, -1);
    asked.forEach(function (line) { if (line !== 'refused') lines += line + '\n'; });
    from += asked.length;
    if (from < todo.length) return client(from + 1, lines);
    fs.writeFileSync(a.out + '.part', lines);
    fs.renameSync(a.out + '.part', a.out);
  });
}

// ask prints one line for each of the list from one place on.
function ask(i) {
  if (i >= todo.length) return process.exit(0);
  var version = todo[i][0], cipher = todo[i][1], ended = false, s;
  function done(ok) {
    if (ended) return;
    ended = true;
    var line = ok ? 'node ' + version + ' ' + cipher + '\n' : 'refused\n';
    fs.writeSync(1, new Buffer(line), 0, line.length);
    if (s) s.destroy();
    setImmediate(function () { ask(i + 1); });
  }
  try {
    s = tls.connect({host: '127.0.0.1', port: a.port, ciphers: cipher, secureProtocol: a.methods[version].secureProtocol,
      secureOptions: a.methods[version].secureOptions, rejectUnauthorized: false}, function () {
      var c = s.getCipher();
      done(c && c.name === cipher);
    });
    s.on('error', function () { done(false); });
    s.on('close', function () { done(false); });
  } catch (e) { // no such cipher, or none of this version
    done(false);
  }
}
