use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use meetme_http::{Bound, DialectConfig, Limits, Server, ServerConfig, TlsConfig};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::fake::{self, Turnstile, request};

/// Longer than anything here takes; a test that gets there has failed.
const PATIENCE: Duration = Duration::from_secs(20);

struct Running {
    addresses: Vec<SocketAddr>,
    certificate: Option<String>,
    stop: CancellationToken,
    ended: JoinHandle<()>,
    turnstile: Turnstile,
}

fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn run(config: ServerConfig) -> Running {
    let turnstile = Turnstile::new();
    let server = Server::new(config, vec![fake::alpha(&turnstile), fake::beta(), fake::gamma()], fake::app()).unwrap();
    let bound: Bound = server.bind().await.unwrap();
    let addresses = bound.listening().map(|listening| listening.address).collect();
    let (certificate, stop) = (bound.certificate().map(str::to_owned), CancellationToken::new());
    Running { addresses, certificate, stop: stop.clone(), ended: tokio::spawn(bound.run(stop)), turnstile }
}

fn plain() -> ServerConfig {
    ServerConfig { listen: vec![any()], ..ServerConfig::default() }
}

async fn ask<S>(stream: S, request: Request<Full<Bytes>>) -> Response<Incoming>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap()
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    read(ask(TcpStream::connect(address).await.unwrap(), request(&format!("GET {path}"), &[], Full::default())).await)
        .await
}

async fn read(response: Response<Incoming>) -> (u16, String) {
    let status = response.status().as_u16();
    let body = timeout(PATIENCE, response.into_body().collect()).await.unwrap().unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_stopping_server_finishes_what_it_has_and_takes_no_more() {
    let server = run(plain()).await;
    let address = server.addresses[0];
    let held = tokio::spawn(async move { get(address, "/hold").await });
    timeout(PATIENCE, server.turnstile.entered.acquire()).await.unwrap().unwrap().forget();
    server.stop.cancel();
    server.turnstile.released.add_permits(1);
    assert_eq!(held.await.unwrap(), (200, r#""held""#.to_owned()));
    timeout(PATIENCE, server.ended).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_idle_connection_does_not_hold_up_the_end() {
    let server = run(plain()).await;
    let stream = TcpStream::connect(server.addresses[0]).await.unwrap();
    let (mut sender, connection) = conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let answer = timeout(PATIENCE, sender.send_request(request("GET /shared/1", &[], Full::<Bytes>::default())))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read(answer).await.0, 200);
    server.stop.cancel();
    timeout(PATIENCE, server.ended).await.unwrap().unwrap();
    timeout(PATIENCE, connection).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_request_that_outlives_the_deadline_is_cut_off() {
    let server = run(ServerConfig { limits: Limits { drain_seconds: 0, ..Limits::default() }, ..plain() }).await;
    let mut stream = TcpStream::connect(server.addresses[0]).await.unwrap();
    stream.write_all(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    timeout(PATIENCE, server.turnstile.entered.acquire()).await.unwrap().unwrap().forget();
    server.stop.cancel();
    timeout(PATIENCE, server.ended).await.unwrap().unwrap();
    let mut rest = Vec::new();
    assert!(!matches!(timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap(), Ok(1..)));
}

#[tokio::test]
async fn a_connection_that_says_too_little_is_closed() {
    let server = run(ServerConfig { limits: Limits { idle_seconds: 1, ..Limits::default() }, ..plain() }).await;
    for beginning in ["", "P", "GET / HTTP/1.1\r\nhost:"] {
        let mut stream = TcpStream::connect(server.addresses[0]).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap().unwrap();
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{beginning}");
    }
}

#[tokio::test]
async fn event_streams_end_when_the_server_stops() {
    let server = run(plain()).await;
    let response =
        ask(TcpStream::connect(server.addresses[0]).await.unwrap(), request("GET /events", &[], Full::default())).await;
    let mut body = response.into_body();
    let first = timeout(PATIENCE, body.frame()).await.unwrap().unwrap().unwrap();
    assert!(first.into_data().unwrap().starts_with(b"data: first"));
    server.stop.cancel();
    assert!(timeout(PATIENCE, body.frame()).await.unwrap().is_none());
    timeout(PATIENCE, server.ended).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_listener_of_its_own_leads_to_one_dialect_only() {
    let own = DialectConfig { listen: vec![any()], ..DialectConfig::default() };
    let server = run(ServerConfig { dialects: [("beta".to_owned(), own)].into(), ..plain() }).await;
    assert!(get(server.addresses[0], "/shared/1").await.1.contains(r#""dialect":"alpha""#));
    assert!(get(server.addresses[1], "/shared/1").await.1.contains(r#""dialect":"beta""#));
    assert_eq!(get(server.addresses[1], "/items/1").await.0, 404);
}

#[tokio::test]
async fn an_admin_listener_takes_health_and_metrics_away_from_the_others() {
    let server = run(ServerConfig { admin: vec![any()], ..plain() }).await;
    assert_eq!(
        (get(server.addresses[0], "/metrics").await.0, get(server.addresses[1], "/metrics").await.0),
        (404, 200)
    );
    assert_eq!(
        (get(server.addresses[0], "/shared/1").await.0, get(server.addresses[1], "/shared/1").await.0),
        (200, 404)
    );
}

#[tokio::test]
async fn a_client_that_is_still_sending_sees_why_it_was_refused() {
    let server = run(plain()).await;
    let mut stream = TcpStream::connect(server.addresses[0]).await.unwrap();
    stream
        .write_all(b"PUT /shared/1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 12582912\r\n\r\n")
        .await
        .unwrap();
    timeout(PATIENCE, stream.write_all(&vec![b'x'; 12 << 20])).await.unwrap().unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains(r#""by":"beta""#), "{answer}");
}

#[tokio::test]
async fn a_self_signed_certificate_serves_both_versions_of_http() {
    let tls = TlsConfig { listen: vec![any()], self_signed: vec!["localhost".into()], ..TlsConfig::default() };
    let server = run(ServerConfig { listen: Vec::new(), tls: Some(tls), ..ServerConfig::default() }).await;
    let certificate = CertificateDer::from_pem_slice(server.certificate.as_ref().unwrap().as_bytes()).unwrap();

    let stream = connect(server.addresses[0], &certificate, b"http/1.1").await;
    let (status, text) = read(ask(stream, request("GET /shared/1", &[], Full::default())).await).await;
    assert!(status == 200 && text.contains(r#""base":"https://meetme.example""#), "{text}");

    let stream = connect(server.addresses[0], &certificate, b"h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut sender, connection) = conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://two.example/shared/1").body(Full::<Bytes>::default()).unwrap();
    let (status, text) = read(timeout(PATIENCE, sender.send_request(request)).await.unwrap().unwrap()).await;
    assert!(status == 200 && text.contains(r#""base":"https://two.example""#), "{text}");
}

async fn connect(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    protocol: &[u8],
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    timeout(PATIENCE, tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream)).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_certificate_and_a_self_signed_one_at_once_are_refused() {
    let both =
        TlsConfig { certificate: Some("a.pem".into()), self_signed: vec!["localhost".into()], ..TlsConfig::default() };
    let server = Server::new(ServerConfig { tls: Some(both), ..plain() }, vec![fake::beta()], fake::app()).unwrap();
    assert!(matches!(server.bind().await, Err(meetme_http::Fault::Certificate(_))));
}

#[tokio::test]
async fn certificates_are_read_from_files() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = TlsConfig { listen: vec![any()], certificate: Some(certificate), key: Some(key), ..TlsConfig::default() };
    let server = run(ServerConfig { listen: Vec::new(), tls: Some(tls), ..ServerConfig::default() }).await;
    let stream = connect(server.addresses[0], made.cert.der(), b"http/1.1").await;
    assert_eq!(
        read(ask(stream, request("GET /healthz", &[], Full::default())).await).await,
        (200, "alive\n".to_owned())
    );
}
