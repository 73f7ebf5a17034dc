//! The web client with TLS. Whom it trusts is in the environment, so that each case is a process of its own.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use std::{env, fs, process, thread};

use futures_rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};
use interloop::Reactor;
use interloop_demos::web::{Client, Step};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// What the process that a test has started is to fetch.
const ADDRESS: &str = "WEB_TLS_ADDRESS";

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { issuer: Issuer::new(params, key), pem }
    }

    /// A server for `name`, with a certificate of this authority. Gives its port.
    fn serve(&self, name: &str) -> u16 {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream.unwrap());
                // A client that does not trust this server ends the handshake.
                let Ok(1..) = stream.read(&mut [0; 4096]) else { continue };
                let _gone = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
                stream.conn.send_close_notify();
                let _gone = stream.flush();
            }
        });
        port
    }
}

/// What a process says that trusts `pem` and fetches `address`.
fn fetched(pem: &str, address: &str) -> String {
    let name = format!("interloop-web-tls-{}-{:?}.pem", process::id(), thread::current().id());
    let file: PathBuf = env::temp_dir().join(name);
    fs::write(&file, pem).unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", "fetch", "--nocapture", "--ignored"]).env("SSL_CERT_FILE", &file);
    let output = child.env(ADDRESS, address).env_remove("SSL_CERT_DIR").output().unwrap();
    fs::remove_file(&file).unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "the process of a case"]
fn fetch() {
    let Ok(address) = env::var(ADDRESS) else { return };
    let reactor = Reactor::new().unwrap();
    let client = Client::with_patience(&reactor, Duration::from_secs(60));
    let fetched = reactor.block_on(async {
        let mut secured = false;
        let on_step = |step| secured |= matches!(step, Step::Securing(_));
        let mut response = client.get(&address, on_step).await?;
        assert!(secured);
        let mut body = String::new();
        while let Some(bytes) = response.chunk().await? {
            body.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        Ok::<_, interloop_demos::web::Error>(body)
    });
    match fetched.unwrap() {
        Ok(body) => println!("fetched {body}"),
        Err(error) => println!("{:?}: {error}", error.kind()),
    }
}

#[track_caller]
fn says(said: &str, wanted: &str) {
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn a_server_that_is_trusted_is_spoken_to() {
    let authority = Authority::new();
    let port = authority.serve("localhost");
    says(&fetched(&authority.pem, &format!("https://localhost:{port}/")), "fetched secret");
}

#[test]
fn a_server_that_nobody_vouches_for_is_not() {
    let port = Authority::new().serve("localhost");
    let said = fetched(&Authority::new().pem, &format!("https://localhost:{port}/"));
    says(&said, "Tls: https://localhost");
    says(&said, "name that certificate's file in SSL_CERT_FILE");
}

#[test]
fn a_server_of_another_name_is_not() {
    let authority = Authority::new();
    let port = authority.serve("example.com");
    says(&fetched(&authority.pem, &format!("https://localhost:{port}/")), "Tls: ");
}

#[test]
fn without_certificates_nobody_is_trusted_and_it_is_said_why() {
    let port = Authority::new().serve("localhost");
    let said = fetched("no certificate", &format!("https://localhost:{port}/"));
    says(&said, "Tls: ");
    says(&said, "install ca-certificates, or name a file of your own in SSL_CERT_FILE");
}
