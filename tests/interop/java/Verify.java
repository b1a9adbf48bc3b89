import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/** Verify PURPOSE HOST ROOT CHAIN KEY: the verdict of PKIX, then of both sides of one TLS handshake in memory. */
public final class Verify {
    private static final int REFUSED = 1;
    private static final int BROKEN = 2;
    private static final char[] NO_PASSWORD = {};

    private Verify() {
    }

    private static void exit(int status, String why) {
        System.out.println(why.replace('\n', ' '));
        System.exit(status);
    }

    private static List<X509Certificate> read(CertificateFactory factory, String file)
            throws IOException, CertificateException {
        List<X509Certificate> all = new ArrayList<>();
        try (FileInputStream in = new FileInputStream(file)) {
            for (Object cert : factory.generateCertificates(in))
                all.add((X509Certificate) cert);
        }
        return all;
    }

    /** p11ca writes PKCS #8. */
    private static PrivateKey readKey(String file, String algorithm) throws IOException, GeneralSecurityException {
        String pem = Files.readString(Path.of(file)).replaceAll("-----[^-]*-----|\\s", "");
        return KeyFactory.getInstance(algorithm).generatePrivate(
                new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
    }

    private static SSLContext context(X509Certificate root, List<X509Certificate> chain, PrivateKey key)
            throws IOException, GeneralSecurityException {
        KeyStore trust = KeyStore.getInstance("PKCS12");
        KeyStore own = KeyStore.getInstance("PKCS12");
        // PKIX: the manager that TLS has by default. SunX509: the one that shows what it is told to show.
        TrustManagerFactory judges = TrustManagerFactory.getInstance("PKIX");
        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
        SSLContext context = SSLContext.getInstance("TLS");

        trust.load(null, null);
        trust.setCertificateEntry("root", root);
        judges.init(trust);
        own.load(null, null);
        own.setKeyEntry("own", key, NO_PASSWORD, chain.toArray(new X509Certificate[0]));
        keys.init(own, NO_PASSWORD);
        context.init(keys.getKeyManagers(), judges.getTrustManagers(), null);
        return context;
    }

    /** One step of one side; whether it got on. */
    private static boolean step(SSLEngine engine, ByteBuffer in, ByteBuffer out, ByteBuffer data) throws SSLException {
        ByteBuffer nothing = ByteBuffer.allocate(0);
        SSLEngineResult result;

        for (Runnable task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask())
            task.run();
        if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
            result = engine.wrap(nothing, out);
        } else {
            in.flip();
            data.clear();
            result = engine.unwrap(in, data);
            in.compact();
        }
        return result.bytesConsumed() > 0 || result.bytesProduced() > 0;
    }

    private static void handshake(SSLEngine client, SSLEngine server) throws SSLException {
        ByteBuffer toServer = ByteBuffer.allocate(1 << 17);
        ByteBuffer toClient = ByteBuffer.allocate(1 << 17);
        ByteBuffer data = ByteBuffer.allocate(1 << 16);
        boolean moved = true;

        client.beginHandshake();
        server.beginHandshake();
        // In TLS 1.3 the client is done before the server has judged it: until nothing moves, not until one is done.
        while (moved) {
            moved = step(client, toClient, toServer, data);
            moved |= step(server, toServer, toClient, data);
        }
        if (client.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING
                || server.getHandshakeStatus() != HandshakeStatus.NOT_HANDSHAKING)
            exit(BROKEN, "the handshake came to nothing");
    }

    /** Both sides show the chain; the side that judges trusts the root, the other one the chain's own certificate. */
    private static void tls(String purpose, String host, X509Certificate root, List<X509Certificate> chain, PrivateKey key)
            throws IOException, GeneralSecurityException {
        boolean judgeServer = purpose.equals("server");
        SSLContext judge = context(root, chain, key);
        SSLContext judged = context(chain.get(0), chain, key);
        String name = host.equals("-") ? null : host;
        SSLEngine client = (judgeServer ? judge : judged).createSSLEngine(name, 443);
        SSLEngine server = (judgeServer ? judged : judge).createSSLEngine();
        SSLParameters asked = client.getSSLParameters();

        if (name != null)
            asked.setEndpointIdentificationAlgorithm("HTTPS");
        client.setSSLParameters(asked);
        client.setUseClientMode(true);
        server.setUseClientMode(false);
        server.setNeedClientAuth(!judgeServer);
        handshake(client, server);
    }

    private static void pkix(CertificateFactory factory, X509Certificate root, List<X509Certificate> chain)
            throws GeneralSecurityException {
        PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
        // No revocation data here; that is another test.
        parameters.setRevocationEnabled(false);
        CertPathValidator.getInstance("PKIX").validate(factory.generateCertPath(chain), parameters);
    }

    /** What was wrong at the bottom of it. */
    private static String reason(Throwable why) {
        while (why.getCause() != null)
            why = why.getCause();
        return String.valueOf(why.getMessage());
    }

    public static void main(String[] args) throws Exception {
        if (args.length != 5)
            exit(BROKEN, "want PURPOSE HOST ROOT CHAIN KEY");
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        try {
            X509Certificate root = read(factory, args[2]).get(0);
            List<X509Certificate> chain = read(factory, args[3]);
            pkix(factory, root, chain);
            tls(args[0], args[1], root, chain, readKey(args[4], chain.get(0).getPublicKey().getAlgorithm()));
        } catch (CertPathValidatorException e) {
            exit(REFUSED, "PKIX: " + reason(e));
        } catch (CertificateException e) {
            exit(REFUSED, "does not parse: " + reason(e));
        } catch (SSLException e) {
            exit(REFUSED, "TLS: " + reason(e));
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            exit(BROKEN, e.toString());
        }
    }
}
