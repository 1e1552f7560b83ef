//! The worker: takes a letter to the server, address by address, and comes again where the server asks for patience.
//!
//! Rule: what the server refuses for good (5yz, RFC 5321 section 4.2.1) is not tried again; what it does not take for now (4yz), and a
//! server that does not answer, is. Each address has an envelope of its own, so one that is refused keeps the letter from nobody else.

use std::{sync::Arc, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::Credentials,
        client::{Certificate, Tls as Wrap, TlsParameters},
    },
};
use meetme_app::{
    App,
    mails::{Letter, SEND},
};
use meetme_control::{
    Soon,
    jobs::{Done, Log, Work, Worker},
};

use crate::{
    letter::{Post, Sender, post},
    settings::{Settings, Tls},
};

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The way to the mail server.
pub struct Delivery {
    transport: Transport,
    sender: Sender,
    attempts: u32,
    pause: Duration,
}

impl Delivery {
    /// As the operator says; nothing when no server is named.
    ///
    /// # Errors
    /// When what is said makes no sense, or the file of certificates cannot be read.
    pub fn of(settings: &Settings) -> Result<Option<Self>, String> {
        let Some(host) = &settings.host else { return Ok(None) };
        let sender = Sender::parse(&settings.from)?;
        let tls = || tls(host, settings);
        let (port, wrap) = match settings.tls {
            Tls::None => (25, Wrap::None),
            Tls::StartTls => (587, Wrap::Required(tls()?)),
            Tls::Tls => (465, Wrap::Wrapper(tls()?)),
        };
        let mut builder = Transport::builder_dangerous(host.clone())
            .port(settings.port.unwrap_or(port))
            .tls(wrap)
            .timeout(Some(Duration::from_secs(settings.timeout_seconds.max(1))));
        match (&settings.user, &settings.password) {
            (Some(user), Some(password)) => {
                builder = builder.credentials(Credentials::new(user.clone(), password.0.expose().clone()));
            }
            (None, None) => {}
            _ => return Err("mail.user and mail.password: one is of no use without the other".to_owned()),
        }
        Ok(Some(Self {
            transport: builder.build(),
            sender,
            attempts: settings.attempts.max(1),
            pause: Duration::from_secs(settings.pause_seconds),
        }))
    }
}

fn tls(host: &str, settings: &Settings) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(file) = &settings.ca_file {
        let wrong = |e: &dyn std::fmt::Display| format!("mail.ca_file: {} cannot be read: {e}", file.display());
        let pem = std::fs::read(file).map_err(|e| wrong(&e))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|e| wrong(&e))?);
    }
    builder.build().map_err(|e| format!("mail: TLS cannot be prepared: {e}"))
}

/// Sends letters.
pub struct MailWorker {
    app: App,
    delivery: Option<Arc<Delivery>>,
}

impl MailWorker {
    /// Over this way, or over none: then every letter fails with the reason.
    pub fn new(app: App, delivery: Option<Delivery>) -> Self {
        Self { app, delivery: delivery.map(Arc::new) }
    }
}

impl Worker for MailWorker {
    fn what(&self) -> &'static [&'static str] {
        &[SEND]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        Box::pin(async move {
            let Some(delivery) = &self.delivery else {
                return Err("No mail server is configured: `host` in `[mail]`.".to_owned());
            };
            let letter: Letter = serde_json::from_value(work.job.spec.inputs.clone())
                .map_err(|e| format!("The letter cannot be read: {e}"))?;
            let text = letter.text(&self.app).map_err(|e| e.to_string())?;
            let post = post(&delivery.sender, &letter, text.expose(), &work.job.uid.to_string())?;
            delivery.deliver(post, &work.log).await
        })
    }
}

/// What came of one try.
enum Outcome {
    Taken(String),
    Refused(String),
    Later(String),
}

impl Delivery {
    async fn deliver(&self, post: Post, log: &Log) -> Result<Done, String> {
        let total = post.envelopes.len() + post.wrong.len();
        let mut failed = post.wrong.len();
        for wrong in &post.wrong {
            log.failure(format!("{wrong} is not an address that mail can go to."));
        }
        let mut open = post.envelopes;
        let mut pause = self.pause;
        for attempt in 1..=self.attempts {
            let mut later = Vec::new();
            for (address, envelope) in open {
                match self.attempt(&envelope, &post.bytes).await {
                    Outcome::Taken(said) => log.success(format!("{address}: accepted: {said}")),
                    Outcome::Refused(said) => {
                        failed += 1;
                        log.failure(format!("{address}: refused: {said}"));
                    }
                    Outcome::Later(said) if attempt == self.attempts => {
                        failed += 1;
                        log.failure(format!("{address}: given up after {attempt} tries: {said}"));
                    }
                    Outcome::Later(said) => {
                        let seconds = pause.as_secs_f64();
                        log.warning(format!("{address}: not now: {said} Tried again in {seconds} s."));
                        later.push((address, envelope));
                    }
                }
            }
            if later.is_empty() {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2);
            open = later;
        }
        let taken = total - failed;
        tracing::info!(mail.accepted = taken, mail.failed = failed, "a letter was delivered");
        if failed == 0 {
            return Ok(Done::said(format!("The mail server accepted the mail for {taken} of {total} addresses.")));
        }
        Err(format!(
            "The mail server accepted the mail for {taken} of {total} addresses; the log says what it said of the others."
        ))
    }

    async fn attempt(&self, envelope: &Envelope, bytes: &[u8]) -> Outcome {
        match self.transport.send_raw(envelope, bytes).await {
            Ok(response) => {
                let said: Vec<&str> = response.message().collect();
                Outcome::Taken(format!("{} {}", response.code(), said.join(" ")).trim().to_owned())
            }
            Err(error) if error.is_permanent() || error.is_client() => Outcome::Refused(sentence(&error)),
            Err(error) => Outcome::Later(sentence(&error)),
        }
    }
}

/// What went wrong, with what is behind it: a failed connection says little by itself.
fn sentence(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
    if text.ends_with('.') { text } else { format!("{text}.") }
}
