import javax.net.ssl.*;
import java.net.*;

/** Connects with the JSSE of the Java that runs it: JavaClient HOST PORT NAME. */
class JavaClient {
    public static void main(String[] a) throws Exception {
        SSLSocketFactory f = (SSLSocketFactory) SSLSocketFactory.getDefault();
        Socket plain = new Socket(a[0], Integer.parseInt(a[1]));
        SSLSocket s = (SSLSocket) f.createSocket(plain, a[2], Integer.parseInt(a[1]), true);
        s.startHandshake();
    }
}
