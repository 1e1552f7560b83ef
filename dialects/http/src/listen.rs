//! Listeners: accepts connections, speaks TLS where wanted, and stops without cutting anyone off in mid-sentence.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use http::Request;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{
    Door, Fault, Server,
    desk::{Desks, Place},
    server::Inner,
    tls,
};

/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long accepting pauses when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often the limiters forget clients that have recovered.
const TIDY_PERIOD: Duration = Duration::from_secs(60);

/// A server whose addresses are taken and that only has to run.
pub struct Bound {
    inner: Arc<Inner>,
    doors: Vec<(Listening, TcpListener)>,
    acceptor: Option<TlsAcceptor>,
    certificate: Option<String>,
}

/// One listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The address, with the port the system chose where the configuration said 0.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub secure: bool,
    /// The only dialect that answers, if it is only one.
    pub dialect: Option<&'static str>,
    /// Whether it answers health, readiness and metrics only.
    pub admin: bool,
}

impl Server {
    /// Takes the configured addresses. From here on clients connect, and are answered once the server runs.
    ///
    /// # Errors
    /// [`Fault::Listen`], [`Fault::Certificate`].
    pub async fn bind(self) -> Result<Bound, Fault> {
        let inner = self.inner;
        let config = &inner.config;
        let (acceptor, certificate) = config.tls.as_ref().map(tls::acceptor).transpose()?.unzip();
        let mut wanted: Vec<Listening> = Vec::new();
        let plain = |address| Listening { address, secure: false, dialect: None, admin: false };
        wanted.extend(config.listen.iter().copied().map(plain));
        wanted.extend(config.admin.iter().copied().map(|address| Listening { admin: true, ..plain(address) }));
        let secure = config.tls.iter().flat_map(|tls| tls.listen.iter().copied());
        wanted.extend(secure.map(|address| Listening { secure: true, ..plain(address) }));
        for home in &inner.homes {
            let Some(own) = config.dialects.get(home.dialect.name) else { continue };
            if own.tls && acceptor.is_none() {
                return Err(Fault::Certificate(format!(
                    "{} is to speak TLS, but there is no [tls]",
                    home.dialect.name
                )));
            }
            let door = |address| Listening { secure: own.tls, dialect: Some(home.dialect.name), ..plain(address) };
            wanted.extend(own.listen.iter().copied().map(door));
        }
        let mut doors = Vec::with_capacity(wanted.len());
        for door in wanted {
            let fault = |source| Fault::Listen { address: door.address, source };
            let listener = TcpListener::bind(door.address).await.map_err(fault)?;
            let address = listener.local_addr().map_err(fault)?;
            doors.push((Listening { address, ..door }, listener));
        }
        Ok(Bound { inner, doors, acceptor, certificate: certificate.flatten() })
    }
}

impl Bound {
    /// The listeners.
    pub fn listening(&self) -> impl Iterator<Item = &Listening> {
        self.doors.iter().map(|(listening, _)| listening)
    }
    /// The self-signed certificate in PEM, if one was made: what clients must be told to trust.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }
    /// Answers until `stop`. Then no connection is accepted any more, event streams end, requests under way are finished,
    /// and what is not done by the deadline is cut off.
    pub async fn run(self, stop: CancellationToken) {
        let Self { inner, doors, acceptor, .. } = self;
        let cut = CancellationToken::new();
        let seats = Arc::new(Semaphore::new(inner.config.limits.connections.min(Semaphore::MAX_PERMITS)));
        let desks = match Desks::open() {
            Ok(desks) => Some(Arc::new(desks)),
            Err(error) => {
                // Slower, and no reason to answer nobody.
                warn!(%error, "there are no threads for connections of their own");
                None
            }
        };
        let mut tasks = JoinSet::new();
        for (listening, listener) in doors {
            info!(listen.address = %listening.address, listen.tls = listening.secure, dialect = listening.dialect.unwrap_or("all"), "listening");
            let keeper = Keeper {
                inner: Arc::clone(&inner),
                acceptor: acceptor.clone().filter(|_| listening.secure),
                listening,
                seats: Arc::clone(&seats),
                cut: cut.clone(),
                desks: desks.clone(),
            };
            tasks.spawn(keeper.accept(listener));
        }
        tasks.spawn(tidy(Arc::clone(&inner)));
        stop.cancelled().await;
        inner.stop.cancel();
        let drain = Duration::from_secs(inner.config.limits.drain_seconds);
        let joined = timeout(drain, join(&mut tasks)).await;
        if joined.is_err() {
            warn!(drain.s = drain.as_secs(), "requests were still under way when the time was up");
            cut.cancel();
            join(&mut tasks).await;
        }
    }
}

async fn join(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a listener ended badly");
        }
    }
}

async fn tidy(inner: Arc<Inner>) {
    let mut tick = tokio::time::interval(TIDY_PERIOD);
    while inner.stop.run_until_cancelled(tick.tick()).await.is_some() {
        inner.gate.tidy();
    }
}

/// What one listener needs to keep its connections.
struct Keeper {
    inner: Arc<Inner>,
    acceptor: Option<TlsAcceptor>,
    listening: Listening,
    seats: Arc<Semaphore>,
    cut: CancellationToken,
    /// Absent where the system gives no threads: connections are served where they are accepted then.
    desks: Option<Arc<Desks>>,
}

impl Keeper {
    /// Accepts until the server stops, then waits for the connections it has.
    async fn accept(self, listener: TcpListener) {
        let stop = self.inner.stop.clone();
        let keeper = Arc::new(self);
        let mut connections = JoinSet::new();
        loop {
            let next = async {
                let seat = Arc::clone(&keeper.seats).acquire_owned().await;
                (seat, listener.accept().await)
            };
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = connections.join_next() => heard(ended),
                (seat, accepted) = next => match (seat, accepted) {
                    (Ok(seat), Ok((stream, peer))) => {
                        let served = Arc::clone(&keeper);
                        let Some(place) = keeper.desks.as_ref().and_then(|desks| desks.place()) else {
                            connections.spawn(async move {
                                served.greet(stream, peer).await;
                                drop(seat);
                            });
                            continue;
                        };
                        let handle = place.handle.clone();
                        connections.spawn_on(async move {
                            served.greet_at(place, stream, peer).await;
                            drop(seat);
                        }, &handle);
                    }
                    (_, Err(error)) => {
                        warn!(%error, "a connection could not be accepted");
                        if timeout(ACCEPT_PAUSE, stop.cancelled()).await.is_ok() {
                            break;
                        }
                    }
                    (Err(_), _) => break,
                },
            }
        }
        drop(listener);
        while let Some(ended) = connections.join_next().await {
            heard(ended);
        }
    }

    /// Runs at a desk, which must hear of the connection itself: so far the thread that accepted it would.
    async fn greet_at(&self, place: Place, stream: TcpStream, peer: SocketAddr) {
        match stream.into_std().and_then(TcpStream::from_std) {
            Ok(stream) => self.greet(stream, peer).await,
            Err(error) => debug!(%error, "a connection could not be moved"),
        }
        drop(place);
    }

    async fn greet(&self, stream: TcpStream, peer: SocketAddr) {
        let local = stream.local_addr().unwrap_or(self.listening.address);
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "a connection ended at once");
            return;
        }
        let only = self.listening.dialect;
        let door = Door {
            socket: peer.ip(),
            local,
            secure: self.listening.secure,
            dialect: only.and_then(|name| self.inner.homes.iter().position(|home| home.dialect.name == name)),
            api: !self.listening.admin,
            admin: self.listening.admin || self.inner.config.admin.is_empty(),
        };
        let Some(acceptor) = &self.acceptor else { return self.serve(stream, door).await };
        let handshake = tokio::select! {
            handshake = timeout(HANDSHAKE_TIME, acceptor.accept(stream)) => handshake,
            () = self.inner.stop.cancelled() => return,
        };
        match handshake {
            Ok(Ok(stream)) => self.serve(stream, door).await,
            Ok(Err(error)) => debug!(client.address = %peer, %error, "no TLS"),
            Err(_) => debug!(client.address = %peer, "no TLS in time"),
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(&self, stream: S, door: Door) {
        let inner = Arc::clone(&self.inner);
        let begun = CancellationToken::new();
        let spoke = begun.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            spoke.cancel();
            let inner = Arc::clone(&inner);
            async move { Ok::<_, Infallible>(inner.call(&door, request).await) }
        });
        let idle = Duration::from_secs(self.inner.config.limits.idle_seconds.max(1));
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(idle);
        builder.http2().timer(TokioTimer::new()).keep_alive_interval(idle).max_concurrent_streams(250);
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        // Before it knows which version of HTTP is spoken, the connection has no time limit of its own.
        let silence = timeout(idle, begun.cancelled());
        tokio::pin!(connection, silence);
        let (mut asked, mut heard) = (false, false);
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        debug!(%error, client.address = %door.socket, "a connection broke");
                    }
                    return;
                }
                () = self.inner.stop.cancelled(), if !asked => {
                    asked = true;
                    connection.as_mut().graceful_shutdown();
                }
                first = silence.as_mut(), if !heard => match first {
                    Ok(()) => heard = true,
                    Err(_) => return,
                },
                () = self.cut.cancelled() => return,
            }
        }
    }
}

fn heard(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection ended badly");
    }
}
