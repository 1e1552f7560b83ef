//! One call: fenced in where it goes, how long it takes and how much it reads.

use std::{net::SocketAddr, path::Path, time::Duration};

use hmac::{Hmac, Mac as _};
use meetme_base::{Reach, Secret};
use meetme_model::ops::HookMethod;
use reqwest::{
    Certificate, Client, Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use sha2::Sha512;

/// How long a whole call takes at most.
const LONGEST: Duration = Duration::from_secs(15);
/// How long it takes at most until there is a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How much of an answer is read at most: it is thrown away, but a connection that is read to its end ends well.
const ANSWER: usize = 64 * 1024;
/// How large a file of certificates may be.
const CERTIFICATES: u64 = 1024 * 1024;

/// A call that is to be made.
#[derive(Debug)]
pub struct Call {
    /// Where to.
    pub url: String,
    /// How.
    pub method: HookMethod,
    /// The media type of the body.
    pub content_type: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// What the body is signed with.
    pub secret: Option<Secret<String>>,
    /// Names what is told: the same for every try, so that the other side can tell a second one.
    pub id: String,
    /// Whether the server's certificate must be good.
    pub verify: bool,
    /// A file of certificates below the operator's directory.
    pub ca_file: Option<String>,
}

/// Why a call was not answered well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The status of the answer, when there was one.
    pub status: Option<u16>,
    /// One sentence.
    pub why: String,
}

impl Failure {
    fn without_answer(why: impl Into<String>) -> Self {
        Self { status: None, why: why.into() }
    }
}

impl Call {
    /// Makes the call. Only an answer of 200 to 299 is a good one; redirections are not followed, for they could lead inside.
    ///
    /// # Errors
    /// When there was no such answer.
    pub async fn make(&self, reach: &Reach, certificates: Option<&Path>) -> Result<u16, Failure> {
        let url = Url::parse(&self.url).map_err(|_| Failure::without_answer("The address cannot be read."))?;
        let (host, addresses) = self.resolve(&url, reach).await?;
        let client = self.client(&host, &addresses, certificates).await?;
        let method = match self.method {
            HookMethod::Get => Method::GET,
            HookMethod::Post => Method::POST,
            HookMethod::Put => Method::PUT,
            HookMethod::Patch => Method::PATCH,
            HookMethod::Delete => Method::DELETE,
        };
        let request = client.request(method, url).headers(self.headers()?).body(self.body.clone());
        let mut answer = request.send().await.map_err(|e| Failure::without_answer(sentence(&e)))?;
        let status = answer.status();
        let mut read = 0;
        while read < ANSWER
            && let Ok(Some(part)) = answer.chunk().await
        {
            read += part.len();
        }
        if status.is_success() {
            return Ok(status.as_u16());
        }
        Err(Failure { status: Some(status.as_u16()), why: format!("The server answered {}.", status.as_u16()) })
    }

    /// The host and those of its addresses that may be called. The connection is made to one of these and to no other, so a name that
    /// leads elsewhere a moment later wins nothing.
    async fn resolve(&self, url: &Url, reach: &Reach) -> Result<(String, Vec<SocketAddr>), Failure> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let found = tokio::time::timeout(CONNECT, tokio::net::lookup_host((bare, port))).await;
        let found: Vec<SocketAddr> = match found {
            Ok(Ok(found)) => found.collect(),
            _ => return Err(Failure::without_answer(format!("The name {host} cannot be resolved."))),
        };
        let open: Vec<SocketAddr> = found.into_iter().filter(|address| reach.permits(address.ip())).collect();
        if open.is_empty() {
            let why =
                format!("The address of {host} is not one that hooks may call; the operator can allow its network.");
            return Err(Failure::without_answer(why));
        }
        Ok((host, open))
    }

    async fn client(&self, host: &str, to: &[SocketAddr], certificates: Option<&Path>) -> Result<Client, Failure> {
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(LONGEST)
            .connect_timeout(CONNECT)
            .pool_max_idle_per_host(0)
            .user_agent("meetme")
            .resolve_to_addrs(host, to)
            .tls_danger_accept_invalid_certs(!self.verify);
        if let Some(file) = &self.ca_file {
            let trusted = read_certificates(certificates, file).await.map_err(Failure::without_answer)?;
            builder = builder.tls_certs_only(trusted);
        }
        builder.build().map_err(|e| Failure::without_answer(sentence(&e)))
    }

    fn headers(&self) -> Result<HeaderMap, Failure> {
        let mut out = HeaderMap::new();
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|_| Failure::without_answer("A header has letters that none may have."))
        };
        for (name, text) in &self.headers {
            let name: HeaderName =
                name.parse().map_err(|_| Failure::without_answer(format!("{name} is no name of a header.")))?;
            out.append(name, value(text)?);
        }
        out.insert(CONTENT_TYPE, value(&self.content_type)?);
        out.insert(HeaderName::from_static("x-hook-id"), value(&self.id)?);
        if let Some(secret) = &self.secret {
            out.insert(HeaderName::from_static("x-hook-signature"), value(&signature(secret, &self.body))?);
        }
        Ok(out)
    }
}

/// HMAC-SHA512 of the body in hexadecimal digits.
fn signature(secret: &Secret<String>, body: &str) -> String {
    // A key of any length will do (RFC 2104).
    let Ok(mut mac) = Hmac::<Sha512>::new_from_slice(secret.expose().as_bytes()) else { return String::new() };
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The certificates in a file below the operator's directory. What is wrong with the file is not told in detail: the sentence is read by
/// customers.
async fn read_certificates(directory: Option<&Path>, file: &str) -> Result<Vec<Certificate>, String> {
    let Some(directory) = directory else {
        return Err("The operator has opened no directory of certificates.".to_owned());
    };
    let none = || "The file of certificates cannot be read.".to_owned();
    let root = tokio::fs::canonicalize(directory).await.map_err(|_| none())?;
    let path = tokio::fs::canonicalize(root.join(file.trim_start_matches('/'))).await.map_err(|_| none())?;
    if !path.starts_with(&root) || tokio::fs::metadata(&path).await.map_or(true, |m| m.len() > CERTIFICATES) {
        return Err(none());
    }
    let bytes = tokio::fs::read(&path).await.map_err(|_| none())?;
    match Certificate::from_pem_bundle(&bytes) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(none()),
    }
}

/// What went wrong on the way, without addresses and paths of ours.
fn sentence(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "The server took too long.".to_owned();
    }
    if error.is_connect() {
        return "No connection could be made to the server.".to_owned();
    }
    "The call broke off.".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn a_body_is_signed_as_the_standard_says() {
        let said = signature(&Secret::new("Jefe".to_owned()), "what do ya want for nothing?");
        assert_eq!(
            said,
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e\
             070a38bce737"
        );
    }
}
