import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.net.ssl.*;

/**
 * A TLS server and client on JSSE.
 *
 *   Peer server PORT VERSIONS SUITES ORDER ALPN CLIENTAUTH CLIENTCA (ALGORITHM CERT KEY)...
 *   Peer client HOST PORT NAME CA VERSIONS SUITES
 *
 * Lists are separated by commas; "-" stands for the default. Suites have IANA names.
 */
class Peer {
    public static void main(String[] a) throws Exception {
        if (a[0].equals("server")) server(a);
        else client(a);
    }

    static void server(String[] a) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        for (int i = 8; i < a.length; i += 3) {
            PrivateKey key = KeyFactory.getInstance(a[i]).generatePrivate(new PKCS8EncodedKeySpec(pem(a[i + 2])));
            keys.setKeyEntry("k" + i, key, new char[0], certificates(a[i + 1]));
        }
        KeyManagerFactory kmf = KeyManagerFactory.getInstance("SunX509");
        kmf.init(keys, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(kmf.getKeyManagers(), a[7].equals("-") ? null : trust(a[7]), null);
        SSLServerSocket l = (SSLServerSocket) context.getServerSocketFactory()
            .createServerSocket(Integer.parseInt(a[1]), 50, InetAddress.getByName("127.0.0.1"));
        SSLParameters p = l.getSSLParameters();
        set(p, a[2], a[3], l.getSupportedCipherSuites());
        p.setUseCipherSuitesOrder(a[4].equals("server"));
        if (!a[5].equals("-")) p.setApplicationProtocols(a[5].split(","));
        l.setSSLParameters(p);
        if (a[6].equals("request")) l.setWantClientAuth(true);
        if (a[6].equals("required")) l.setNeedClientAuth(true);
        while (true) {
            SSLSocket s = (SSLSocket) l.accept();
            new Thread(() -> {
                try (s) {
                    s.setSoTimeout(20000);
                    BufferedReader r = new BufferedReader(new InputStreamReader(s.getInputStream()));
                    String line;
                    while ((line = r.readLine()) != null && !line.isEmpty()) { }
                    if (line == null) return;
                    s.getOutputStream().write("HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n".getBytes());
                } catch (IOException e) {
                    System.err.println(e);
                }
            }).start();
        }
    }

    static void client(String[] a) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust(a[4]), null);
        SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket(new Socket(a[1], Integer.parseInt(a[2])), a[3], Integer.parseInt(a[2]), true);
        SSLParameters p = s.getSSLParameters();
        set(p, a[5], a[6], s.getSupportedCipherSuites());
        p.setEndpointIdentificationAlgorithm("HTTPS");
        s.setSSLParameters(p);
        s.setSoTimeout(15000);
        s.startHandshake();
        s.getOutputStream().write("GET / HTTP/1.0\r\n\r\n".getBytes());
        if (s.getInputStream().read() < 0) throw new EOFException("no answer");
        System.out.println("OK " + s.getSession().getProtocol() + " " + s.getSession().getCipherSuite());
        s.close();
    }

    static void set(SSLParameters p, String versions, String suites, String[] supported) {
        if (!versions.equals("-")) p.setProtocols(versions.split(","));
        if (suites.equals("-")) return;
        List<String> known = Arrays.asList(supported), l = new ArrayList<>();
        for (String name : suites.split(",")) {
            String old = name.replaceFirst("^TLS_", "SSL_"); // JSSE keeps the names of SSLv3 for the suites of its day
            if (known.contains(name)) l.add(name);
            else if (known.contains(old)) l.add(old);
            else throw new IllegalArgumentException("JSSE has no suite " + name);
        }
        p.setCipherSuites(l.toArray(new String[0]));
    }

    static byte[] pem(String path) throws IOException {
        return Base64.getMimeDecoder().decode(Files.readString(Path.of(path)).replaceAll("-----[A-Z ]+-----", ""));
    }

    static java.security.cert.Certificate[] certificates(String path) throws Exception {
        try (InputStream in = new FileInputStream(path)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in).toArray(new java.security.cert.Certificate[0]);
        }
    }

    static TrustManager[] trust(String path) throws Exception {
        KeyStore roots = KeyStore.getInstance("PKCS12");
        roots.load(null, null);
        int n = 0;
        for (java.security.cert.Certificate c : certificates(path)) roots.setCertificateEntry("ca" + n++, c);
        TrustManagerFactory f = TrustManagerFactory.getInstance("PKIX");
        f.init(roots);
        return f.getTrustManagers();
    }
}
