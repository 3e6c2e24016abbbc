import java.net.Socket;
import javax.net.ssl.*;

/** Connects with the JSSE of the Java that runs it: Client HOST PORT [PROTOCOL,PROTOCOL…]. */
class Client {
    public static void main(String[] a) throws Exception {
        Socket plain = new Socket(a[0], Integer.parseInt(a[1]));
        SSLSocket s = (SSLSocket) ((SSLSocketFactory) SSLSocketFactory.getDefault()).createSocket(plain, "lb.example.com", 443, true);
        if (a.length > 2) s.setEnabledProtocols(a[2].split(","));
        s.startHandshake();
    }
}
