//! verify PURPOSE HOST ROOT CHAIN KEY: the verdict of rustls, both sides of one handshake in memory.

use std::process::exit;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, WebPkiServerVerifier};
use rustls::crypto::{ring, verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, Connection, DigitallySignedStruct, RootCertStore};
use rustls::{Error, ServerConfig, ServerConnection, SignatureScheme};

const REFUSED: i32 = 1;
const BROKEN: i32 = 2;

/// Neither accepted nor refused: a file that is not there, an argument that is none.
fn broken<E: std::fmt::Display>(why: E) -> ! {
    println!("{why}");
    exit(BROKEN)
}

fn refused(why: Error) -> ! {
    println!("{why}");
    exit(REFUSED)
}

/// What the client asks of a server whose name is no host name.
#[derive(Debug)]
enum Nameless {
    /// The chain and its purpose, but no host name: that of a SPIFFE ID is looked at by the application.
    Chain(Arc<RootCertStore>, Arc<CryptoProvider>),
    /// Nothing: it is the client that is judged here.
    Nothing(Arc<CryptoProvider>),
}

impl Nameless {
    fn provider(&self) -> &CryptoProvider {
        match self {
            Nameless::Chain(_, provider) | Nameless::Nothing(provider) => provider,
        }
    }
}

impl ServerCertVerifier for Nameless {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Nameless::Chain(roots, provider) = self {
            verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(leaf)?,
                roots,
                intermediates,
                now,
                provider.signature_verification_algorithms.all,
            )?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider().signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider().signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

struct Order {
    judge_server: bool,
    host: Option<ServerName<'static>>,
    roots: Arc<RootCertStore>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Order {
    fn read(args: &[String]) -> Order {
        let [purpose, host, root, chain, key] = args else {
            broken("want PURPOSE HOST ROOT CHAIN KEY");
        };
        let mut roots = RootCertStore::empty();
        for cert in CertificateDer::pem_file_iter(root).unwrap_or_else(|e| broken(e)) {
            roots
                .add(cert.unwrap_or_else(|e| broken(e)))
                .unwrap_or_else(|e| broken(e));
        }
        let chain = CertificateDer::pem_file_iter(chain).unwrap_or_else(|e| broken(e));
        Order {
            judge_server: match purpose.as_str() {
                "server" => true,
                "client" => false,
                _ => broken("no such purpose"),
            },
            host: match host.as_str() {
                "-" => None,
                name => Some(ServerName::try_from(name.to_owned()).unwrap_or_else(|e| broken(e))),
            },
            roots: Arc::new(roots),
            chain: chain
                .map(|cert| cert.unwrap_or_else(|e| broken(e)))
                .collect(),
            key: PrivateKeyDer::from_pem_file(key).unwrap_or_else(|e| broken(e)),
        }
    }

    fn server_verifier(&self, provider: &Arc<CryptoProvider>) -> Arc<dyn ServerCertVerifier> {
        if !self.judge_server {
            return Arc::new(Nameless::Nothing(provider.clone()));
        }
        if self.host.is_none() {
            return Arc::new(Nameless::Chain(self.roots.clone(), provider.clone()));
        }
        WebPkiServerVerifier::builder_with_provider(self.roots.clone(), provider.clone())
            .build()
            .unwrap_or_else(|e| broken(e))
    }

    /// What both sides show, unseen: rustls would not load what it does not accept, and it is the other side's word
    /// that is wanted.
    fn shown(&self, provider: &CryptoProvider) -> Arc<SingleCertAndKey> {
        let key = provider
            .key_provider
            .load_private_key(self.key.clone_key())
            .unwrap_or_else(|e| broken(e));
        Arc::new(SingleCertAndKey::from(CertifiedKey::new(
            self.chain.clone(),
            key,
        )))
    }

    fn client(&self, provider: &Arc<CryptoProvider>) -> Result<ClientConnection, Error> {
        let config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(self.server_verifier(provider))
            .with_client_cert_resolver(self.shown(provider));
        let nobody = || ServerName::try_from("nobody.example").unwrap_or_else(|e| broken(e));
        ClientConnection::new(Arc::new(config), self.host.clone().unwrap_or_else(nobody))
    }

    fn server(&self, provider: &Arc<CryptoProvider>) -> Result<ServerConnection, Error> {
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?;
        let config = if self.judge_server {
            config.with_no_client_auth()
        } else {
            config.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(self.roots.clone(), provider.clone())
                    .build()
                    .unwrap_or_else(|e| broken(e)),
            )
        };
        ServerConnection::new(Arc::new(config.with_cert_resolver(self.shown(provider))))
    }
}

/// What one side has to say goes to the other, which says what it makes of it.
fn carry(from: &mut Connection, to: &mut Connection) -> Result<bool, Error> {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire).unwrap_or_else(|e| broken(e));
    }
    let moved = !wire.is_empty();
    let mut rest = wire.as_slice();
    while !rest.is_empty() {
        to.read_tls(&mut rest).unwrap_or_else(|e| broken(e));
        to.process_new_packets()?;
    }
    Ok(moved)
}

/// In TLS 1.3 the client is done before the server has judged it: until nothing moves.
fn handshake(client: &mut Connection, server: &mut Connection) -> Result<(), Error> {
    while carry(client, server)? | carry(server, client)? {}
    if client.is_handshaking() || server.is_handshaking() {
        broken("the handshake came to nothing");
    }
    Ok(())
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let order = Order::read(&args);
    let provider = Arc::new(ring::default_provider());
    let mut client = Connection::Client(order.client(&provider).unwrap_or_else(|e| broken(e)));
    let mut server = Connection::Server(order.server(&provider).unwrap_or_else(|e| broken(e)));

    if let Err(why) = handshake(&mut client, &mut server) {
        refused(why);
    }
}
