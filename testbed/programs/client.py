"""A TLS client on Python's ssl: client.py HOST PORT NAME CA [OPTION=VALUE...]

Options: min, max (TLSv1 ... TLSv1_3), ciphers. It sends one HTTP request and prints what was negotiated.
"""
import socket, ssl, sys, warnings

warnings.simplefilter("ignore")
host, port, name, ca = sys.argv[1:5]
c = ssl.create_default_context(cafile=ca)
for option in sys.argv[5:]:
    key, value = option.split("=", 1)
    if key == "min":
        c.minimum_version = ssl.TLSVersion[value]
    elif key == "max":
        c.maximum_version = ssl.TLSVersion[value]
    elif key == "ciphers":
        c.set_ciphers(value)
with c.wrap_socket(socket.create_connection((host, int(port)), timeout=15), server_hostname=name) as s:
    s.sendall(b"GET / HTTP/1.0\r\n\r\n")
    if not s.recv(1):
        sys.exit("no answer")
    print("OK", s.version(), s.cipher()[0])
