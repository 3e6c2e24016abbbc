# client.py HOST PORT [VERSION [CIPHERS]]: connects with the ssl module of the Python that runs it.
import socket, ssl, sys, warnings
warnings.simplefilter("ignore")
c = ssl.create_default_context()
c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
if len(sys.argv) > 3:
    c.minimum_version = c.maximum_version = ssl.TLSVersion[sys.argv[3]]
if len(sys.argv) > 4:
    c.set_ciphers(sys.argv[4])
c.set_alpn_protocols(["h2", "http/1.1"])
c.wrap_socket(socket.create_connection((sys.argv[1], int(sys.argv[2]))), server_hostname="lb.example.com")
