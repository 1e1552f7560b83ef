//! A management controller that keeps to the standard where controllers often do not, and misbehaves where a test says so.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use meetme_agent::{Target, WireSecret};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Who may log in.
pub const USER: &str = "operator";
pub const PASSWORD: &str = "s3cret";

/// What it is and does.
#[derive(Default)]
pub struct State {
    pub power: bool,
    /// Looks at the power until a change is seen.
    pub delay: u32,
    pub pending: Option<(u32, bool)>,
    pub target: String,
    pub enabled: String,
    pub medium: Option<String>,
    pub version: u64,
    pub sessions: BTreeSet<String>,
    pub logins: u32,
    /// Takes every order and does nothing.
    pub lies: bool,
    /// Answers resets with a task that ends so.
    pub task: Option<&'static str>,
    pub polls: u32,
    /// Somebody else changes the system between a reading and the next writing.
    pub meddle: bool,
    /// Can start its system from HTTP too.
    pub http: bool,
    /// The words of its reset; all when empty.
    pub words: Vec<&'static str>,
    /// Without sessions: the password in each request.
    pub basic: bool,
    /// A link that leads to somebody else.
    pub foreign: Option<String>,
    /// Every order it took.
    pub orders: Vec<String>,
}

/// A running controller.
pub struct Mock {
    pub state: Arc<Mutex<State>>,
    pub address: String,
    /// The SHA-256 of its certificate, when it has one.
    pub certificate: Option<String>,
}

type Reply = Response<Full<Bytes>>;

impl Mock {
    pub async fn start(state: State) -> Self {
        let (listener, state) = (listener().await, Arc::new(Mutex::new(ready(state))));
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(TokioIo::new(stream), Arc::clone(&shared)));
            }
        });
        Self { state, address, certificate: None }
    }

    /// The same over TLS, with a certificate it made itself.
    pub async fn secure(state: State) -> Self {
        let (listener, state) = (listener().await, Arc::new(Mutex::new(ready(state))));
        let address = format!("https://{}", listener.local_addr().unwrap());
        let made = rcgen::generate_simple_self_signed(["bmc.invalid".to_owned()]).unwrap();
        let digest = <sha2::Sha256 as sha2::Digest>::digest(made.cert.der());
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
                tokio::spawn(async move {
                    // A client that does not trust the certificate ends here.
                    if let Ok(stream) = acceptor.accept(stream).await {
                        connection(TokioIo::new(stream), shared).await;
                    }
                });
            }
        });
        let certificate = Some(digest.iter().map(|byte| format!("{byte:02x}")).collect());
        Self { state, address, certificate }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// It as the agent is given it; `settings` go over who logs in.
    pub fn target(&self, settings: Value) -> Target {
        let mut all = json!({"user": USER, "power_seconds": 5, "graceful_seconds": 0});
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        Target {
            id: 7,
            name: "bmc1".into(),
            address: self.address.clone(),
            settings: all,
            access: Some(WireSecret::new(PASSWORD)),
            repair: false,
        }
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> usize {
        self.lock().sessions.len()
    }
}

async fn listener() -> TcpListener {
    // The binary installs one at its start.
    drop(rustls::crypto::ring::default_provider().install_default());
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

fn ready(mut state: State) -> State {
    state.target = "None".into();
    state.enabled = "Disabled".into();
    state
}

async fn connection<S>(stream: TokioIo<S>, state: Arc<Mutex<State>>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let state = Arc::clone(&state);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
            Ok::<_, Infallible>(state.lock().unwrap().answer(&head, &body))
        }
    });
    // A client that goes away in the middle is nobody's mistake.
    drop(http1::Builder::new().serve_connection(stream, service).await);
}

fn reply(status: StatusCode, body: &Value) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    reply
}

fn nothing(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = status;
    reply
}

fn refusal(status: StatusCode, message: &str) -> Reply {
    reply(
        status,
        &json!({"error": {"code": "Base.1.8.GeneralError", "message": "See the extended information.",
        "@Message.ExtendedInfo": [{"MessageId": "Base.1.8.X", "Message": message, "Resolution": "None."}]}}),
    )
}

impl State {
    fn answer(&mut self, head: &http::request::Parts, body: &Bytes) -> Reply {
        let path = head.uri.path().to_owned();
        let has = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok());
        if head.method == Method::GET && path == "/redfish/v1/" {
            let sessions = (!self.basic).then(|| json!({"Sessions": {"@odata.id": "/redfish/v1/SS/S"}}));
            let systems = self.foreign.clone().unwrap_or_else(|| "/redfish/v1/Sys".into());
            let root = json!({"@odata.id": "/redfish/v1/", "RedfishVersion": "1.11.0",
                "Systems": {"@odata.id": systems}, "Links": sessions.unwrap_or(json!({}))});
            return reply(StatusCode::OK, &root);
        }
        let sent: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        if head.method == Method::POST && path == "/redfish/v1/SS/S" && !self.basic {
            return self.log_in(&sent);
        }
        // The pair USER:PASSWORD in base64 (RFC 7617).
        let by_password = self.basic && has("authorization") == Some("Basic b3BlcmF0b3I6czNjcmV0");
        if !by_password && !has("x-auth-token").is_some_and(|token| self.sessions.contains(token)) {
            return refusal(StatusCode::UNAUTHORIZED, "There is no valid session.");
        }
        if let (&Method::DELETE, Some(token)) = (&head.method, path.strip_prefix("/redfish/v1/SS/S/")) {
            self.sessions.remove(token);
            return nothing(StatusCode::NO_CONTENT);
        }
        match (&head.method, path.as_str()) {
            (&Method::GET, "/redfish/v1/Sys") => {
                reply(StatusCode::OK, &json!({"Members": [{"@odata.id": "/redfish/v1/Sys/one%20"}]}))
            }
            (&Method::GET, "/redfish/v1/Sys/one%20") => {
                let mut reply = reply(StatusCode::OK, &self.system());
                reply.headers_mut().insert(header::ETAG, format!("\"{}\"", self.version).parse().unwrap());
                if std::mem::take(&mut self.meddle) {
                    self.version += 1;
                }
                reply
            }
            (&Method::PATCH, "/redfish/v1/Sys/one%20") => self.change(has("if-match"), &sent),
            (&Method::POST, "/redfish/v1/Sys/one%20/Go") => self.reset(&sent),
            (&Method::GET, "/redfish/v1/Tasks/1/Monitor") => self.monitor(),
            (&Method::GET, "/redfish/v1/Mgr/b") => {
                reply(StatusCode::OK, &json!({"VirtualMedia": {"@odata.id": "/redfish/v1/Mgr/b/VM"}}))
            }
            (&Method::GET, "/redfish/v1/Mgr/b/VM") => {
                reply(StatusCode::OK, &json!({"Members": [{"@odata.id": "/redfish/v1/Mgr/b/VM/2"}]}))
            }
            (&Method::GET, "/redfish/v1/Mgr/b/VM/2") => reply(
                StatusCode::OK,
                &json!({
                "@odata.id": "/redfish/v1/Mgr/b/VM/2", "MediaTypes": ["CD", "DVD"], "Inserted": self.medium.is_some(),
                "Image": self.medium, "Actions": {"#VirtualMedia.InsertMedia": {"target": "/redfish/v1/Mgr/b/VM/2/In"},
                    "#VirtualMedia.EjectMedia": {"target": "/redfish/v1/Mgr/b/VM/2/Out"}}}),
            ),
            (&Method::POST, "/redfish/v1/Mgr/b/VM/2/In") => {
                self.medium = sent["Image"].as_str().map(str::to_owned);
                nothing(StatusCode::NO_CONTENT)
            }
            (&Method::POST, "/redfish/v1/Mgr/b/VM/2/Out") => {
                self.medium = None;
                nothing(StatusCode::NO_CONTENT)
            }
            (&Method::GET, "/redfish/v1/Sys/one%20/Eth") => reply(
                StatusCode::OK,
                &json!({"Members": [
                // Expanded, as some controllers send them.
                {"@odata.id": "/x", "Id": "NIC.1", "MACAddress": "02:00:5E:10:00:01", "LinkStatus": "LinkUp"},
                {"@odata.id": "/y", "Id": "NIC.2", "MACAddress": "00:00:00:00:00:99",
                    "PermanentMACAddress": "02:00:5e:10:00:02", "LinkStatus": "NoLink"},
                {"@odata.id": "/z", "Id": "usb0", "MACAddress": "", "Name": "none"}]}),
            ),
            (&Method::GET, "/redfish/v1/Ch/1") => reply(
                StatusCode::OK,
                &json!({"Thermal": {"@odata.id": "/redfish/v1/Ch/1/T"}, "Power": {"@odata.id": "/gone"}}),
            ),
            (&Method::GET, "/redfish/v1/Ch/1/T") => reply(
                StatusCode::OK,
                &json!({
                "Temperatures": [{"Name": "Inlet", "ReadingCelsius": 22, "Status": {"Health": "OK"}}],
                "Fans": [{"Name": "Fan 3", "Reading": 0, "ReadingUnits": "RPM", "Status": {"Health": "Critical"}}]}),
            ),
            _ => refusal(StatusCode::NOT_FOUND, "There is no such resource."),
        }
    }

    fn log_in(&mut self, sent: &Value) -> Reply {
        if sent["UserName"] != USER || sent["Password"] != PASSWORD {
            return refusal(StatusCode::UNAUTHORIZED, "The user name or the password is wrong.");
        }
        self.logins += 1;
        let token = format!("t{}", self.logins);
        let mut reply = reply(StatusCode::CREATED, &json!({"@odata.id": format!("/redfish/v1/SS/S/{token}")}));
        reply.headers_mut().insert("x-auth-token", token.parse().unwrap());
        reply.headers_mut().insert(header::LOCATION, format!("/redfish/v1/SS/S/{token}").parse().unwrap());
        self.sessions.insert(token);
        reply
    }

    fn system(&mut self) -> Value {
        if let Some((left, power)) = self.pending {
            if left == 0 {
                (self.power, self.pending) = (power, None);
            } else {
                self.pending = Some((left - 1, power));
            }
        }
        let words = if self.words.is_empty() {
            vec!["On", "ForceOff", "GracefulShutdown", "ForceRestart"]
        } else {
            self.words.clone()
        };
        json!({
            "@odata.id": "/redfish/v1/Sys/one%20", "Id": "one", "SerialNumber": "SN-1", "Manufacturer": "Acme",
            "Model": "M1 ", "BiosVersion": "2.4", "UUID": "11111111-1111-4111-8111-111111111111",
            "PowerState": if self.power { "On" } else { "Off" }, "Status": {"Health": "OK", "HealthRollup": "Warning"},
            "MemorySummary": {"TotalSystemMemoryGiB": 64}, "ProcessorSummary": {"Count": 2, "Model": "X"},
            "Boot": {"BootSourceOverrideTarget": self.target, "BootSourceOverrideEnabled": self.enabled,
                "BootSourceOverrideTarget@Redfish.AllowableValues": self.targets()},
            "Actions": {"#ComputerSystem.Reset": {"target": "/redfish/v1/Sys/one%20/Go",
                "ResetType@Redfish.AllowableValues": words}},
            "EthernetInterfaces": {"@odata.id": "/redfish/v1/Sys/one%20/Eth"},
            "Links": {"Chassis": [{"@odata.id": "/redfish/v1/Ch/1"}], "ManagedBy": [{"@odata.id": "/redfish/v1/Mgr/b"}]},
        })
    }

    fn targets(&self) -> Vec<&'static str> {
        let http = self.http.then_some("UefiHttp");
        ["None", "Pxe", "Cd", "Hdd"].into_iter().chain(http).collect()
    }

    fn change(&mut self, version: Option<&str>, sent: &Value) -> Reply {
        if version != Some(format!("\"{}\"", self.version).as_str()) {
            return refusal(StatusCode::PRECONDITION_FAILED, "The ETag does not match.");
        }
        let boot = &sent["Boot"];
        let word = |key: &str| boot.get(key).and_then(Value::as_str).map(str::to_owned);
        if word("BootSourceOverrideTarget").is_some_and(|t| !self.targets().contains(&t.as_str())) {
            return refusal(StatusCode::BAD_REQUEST, "The value is not in the list of acceptable values.");
        }
        self.orders.push(format!("boot {boot}"));
        if !self.lies {
            self.version += 1;
            self.target = word("BootSourceOverrideTarget").unwrap_or_else(|| self.target.clone());
            self.enabled = word("BootSourceOverrideEnabled").unwrap_or_else(|| self.enabled.clone());
        }
        nothing(StatusCode::NO_CONTENT)
    }

    fn reset(&mut self, sent: &Value) -> Reply {
        let word = sent["ResetType"].as_str().unwrap_or_default().to_owned();
        let power = match word.as_str() {
            "On" | "ForceRestart" => true,
            "ForceOff" => false,
            // The system on it does not listen.
            "GracefulShutdown" => self.power,
            _ => {
                return refusal(
                    StatusCode::BAD_REQUEST,
                    &format!("The value {word} for the property ResetType is not in the list."),
                );
            }
        };
        self.orders.push(word);
        if !self.lies && self.task != Some("Exception") {
            self.pending = Some((self.delay, power));
        }
        if self.task.is_none() {
            return nothing(StatusCode::NO_CONTENT);
        }
        let mut reply = reply(StatusCode::ACCEPTED, &json!({"@odata.id": "/redfish/v1/Tasks/1", "TaskState": "New"}));
        reply.headers_mut().insert(header::LOCATION, "/redfish/v1/Tasks/1/Monitor".parse().unwrap());
        reply
    }

    fn monitor(&mut self) -> Reply {
        self.polls += 1;
        if self.polls < 2 {
            return reply(StatusCode::ACCEPTED, &json!({"TaskState": "Running"}));
        }
        let ended = self.task.unwrap_or("Completed");
        reply(StatusCode::OK, &json!({"TaskState": ended, "Messages": [{"Message": "The power supply is missing."}]}))
    }
}
