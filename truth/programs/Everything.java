import java.io.*;
import java.net.*;
import java.nio.file.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.*;
import javax.net.ssl.*;

/**
 * TLS servers on JSSE with all suites and versions that it has, and what each accepts.
 *
 *   Everything.java OUT (PORT ORDER KEYS)...
 *
 * ORDER is "server" or "client"; KEYS is ALGORITHM=CERT=KEY, several parted by commas. Suites are enabled in the reverse
 * of their usual order. When all servers listen, a client in this process asks each for every suite in every version, one
 * at a time; OUT then gets a line "PORT VERSION SUITE" for each that was negotiated, in the server's order.
 */
class Everything {
    static final String[] VERSIONS = {"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

    public static void main(String[] a) throws Exception {
        StringBuilder out = new StringBuilder();
        for (int i = 1; i < a.length; i += 3) out.append(serve(Integer.parseInt(a[i]), a[i + 1], a[i + 2].split(",")));
        Path part = Path.of(a[0] + ".part");
        Files.writeString(part, out.toString());
        Files.move(part, Path.of(a[0]), StandardCopyOption.ATOMIC_MOVE);
    }

    static String serve(int port, String order, String[] keys) throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers(keys), new TrustManager[] {new TrustAll()}, null);
        SSLServerSocket l = (SSLServerSocket) context.getServerSocketFactory().createServerSocket(port, 50, InetAddress.getByName("127.0.0.1"));
        List<String> suites = new ArrayList<>(Arrays.asList(l.getSupportedCipherSuites()));
        Collections.reverse(suites);
        SSLParameters p = l.getSSLParameters();
        p.setProtocols(VERSIONS);
        p.setCipherSuites(suites.toArray(new String[0]));
        p.setUseCipherSuitesOrder(order.equals("server"));
        l.setSSLParameters(p);
        new Thread(() -> accept(l)).start();
        StringBuilder out = new StringBuilder();
        for (String version : VERSIONS)
            for (String suite : suites)
                if (negotiates(context, port, version, suite)) out.append(port + " " + version + " " + suite + "\n");
        return out.toString();
    }

    static void accept(SSLServerSocket l) {
        while (true) {
            try {
                SSLSocket s = (SSLSocket) l.accept();
                new Thread(() -> {
                    try (s) {
                        s.setSoTimeout(10000);
                        s.startHandshake();
                        while (s.getInputStream().read() >= 0) { }
                    } catch (IOException e) {
                        // the client went away, or nothing was shared
                    }
                }).start();
            } catch (IOException e) {
                return;
            }
        }
    }

    static boolean negotiates(SSLContext context, int port, String version, String suite) {
        try (SSLSocket s = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", port)) {
            s.setEnabledProtocols(new String[] {version});
            s.setEnabledCipherSuites(new String[] {suite});
            s.setSoTimeout(10000);
            s.startHandshake();
            return s.getSession().getCipherSuite().equals(suite) && s.getSession().getProtocol().equals(version);
        } catch (IOException | IllegalArgumentException e) {
            return false;
        }
    }

    static KeyManager[] managers(String[] keys) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        for (int i = 0; i < keys.length; i++) {
            String[] k = keys[i].split("=");
            byte[] der = Base64.getMimeDecoder().decode(Files.readString(Path.of(k[2])).replaceAll("-----[A-Z ]+-----", ""));
            PrivateKey key = KeyFactory.getInstance(k[0]).generatePrivate(new PKCS8EncodedKeySpec(der));
            try (InputStream in = new FileInputStream(k[1])) {
                store.setKeyEntry("k" + i, key, new char[0], CertificateFactory.getInstance("X.509").generateCertificates(in).toArray(new java.security.cert.Certificate[0]));
            }
        }
        KeyManagerFactory f = KeyManagerFactory.getInstance("SunX509");
        f.init(store, new char[0]);
        return f.getKeyManagers();
    }

    /** The certificates are made for the test: who signed them is no matter here. */
    static class TrustAll extends X509ExtendedTrustManager {
        public void checkClientTrusted(X509Certificate[] c, String a) { }
        public void checkServerTrusted(X509Certificate[] c, String a) { }
        public void checkClientTrusted(X509Certificate[] c, String a, Socket s) { }
        public void checkServerTrusted(X509Certificate[] c, String a, Socket s) { }
        public void checkClientTrusted(X509Certificate[] c, String a, SSLEngine e) { }
        public void checkServerTrusted(X509Certificate[] c, String a, SSLEngine e) { }
        public X509Certificate[] getAcceptedIssuers() { return new X509Certificate[0]; }
    }
}
