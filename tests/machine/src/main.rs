//! A server with a management controller, for tests and for docs/bare-metal.md: a QEMU process, and Redfish in front of it.
//!
//! Promise: power is a process. On starts it, off ends it, and what the machine does by itself (a restart, a power-off) is seen in the
//! answers. It knows nothing of ours: what it speaks is the standard (DSP0266), as far as a controller of a single system needs it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use clap::Parser;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, UnixStream},
    process::{Child, Command},
    sync::Mutex,
};

/// The machine.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// Where the controller listens.
    #[arg(long)]
    listen: SocketAddr,
    /// Who may log in, as USER:PASSWORD.
    #[arg(long)]
    login: String,
    /// The serial number.
    #[arg(long, default_value = "TEST-0001")]
    serial: String,
    /// The hardware address of its card.
    #[arg(long)]
    mac: String,
    /// The tap interface its card is on.
    #[arg(long)]
    tap: String,
    /// The file that is its disk.
    #[arg(long)]
    disk: PathBuf,
    /// Where what it writes to its serial port goes, and QEMU's own words and socket.
    #[arg(long)]
    directory: PathBuf,
    /// Its memory in MiB.
    #[arg(long, default_value_t = 512)]
    memory: u32,
    /// The firmware it starts with, an image of UEFI (Debian: `/usr/share/ovmf/OVMF.fd`); QEMU's BIOS without. With one, its card has
    /// no program of its own.
    #[arg(long)]
    firmware: Option<PathBuf>,
}

/// The machine as it is.
struct Machine {
    arguments: Arguments,
    child: Option<Child>,
    target: String,
    enabled: String,
}

type Reply = Response<Full<Bytes>>;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    std::fs::create_dir_all(&arguments.directory)?;
    let listener = TcpListener::bind(arguments.listen).await.context("listening")?;
    let machine = Machine { arguments, child: None, target: "None".into(), enabled: "Disabled".into() };
    let machine = Arc::new(Mutex::new(machine));
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = terminated.recv() => break,
            _ = tokio::signal::ctrl_c() => break,
        };
        let machine = Arc::clone(&machine);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&machine), request));
            // A client that goes away in the middle is nobody's mistake.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
    machine.lock().await.off().await
}

async fn answer(machine: Arc<Mutex<Machine>>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(|b| b.to_bytes()).unwrap_or_default();
    let sent = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let mut machine = machine.lock().await;
    Ok(machine.answer(&head, &sent).await.unwrap_or_else(|error| {
        eprintln!("{} {}: {error:#}", head.method, head.uri);
        refusal(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error:#}"))
    }))
}

fn document(status: StatusCode, body: &Value) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(body.to_string())));
    *reply.status_mut() = status;
    reply.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    reply
}

fn refusal(status: StatusCode, message: &str) -> Reply {
    document(
        status,
        &json!({"error": {"code": "Base.1.8.GeneralError", "message": "See the extended information.",
        "@Message.ExtendedInfo": [{"Message": message}]}}),
    )
}

fn done() -> Reply {
    let mut reply = Response::new(Full::default());
    *reply.status_mut() = StatusCode::NO_CONTENT;
    reply
}

/// The words this controller's reset takes.
const WORDS: &[&str] = &["On", "ForceOff", "GracefulShutdown", "ForceRestart"];
/// What it can start its system from besides what is usual.
const TARGETS: &[&str] = &["None", "Pxe", "Hdd"];
/// The same with UEFI.
const UEFI_TARGETS: &[&str] = &["None", "Pxe", "Hdd", "UefiHttp"];

impl Machine {
    async fn answer(&mut self, head: &http::request::Parts, sent: &Value) -> Result<Reply> {
        let path = head.uri.path().trim_end_matches('/');
        if head.method == Method::GET && path == "/redfish/v1" {
            let root = json!({"@odata.id": "/redfish/v1/", "RedfishVersion": "1.8.0", "Systems": {"@odata.id": "/redfish/v1/Systems"}});
            return Ok(document(StatusCode::OK, &root));
        }
        let login = format!("Basic {}", STANDARD.encode(&self.arguments.login));
        if head.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()) != Some(&login) {
            return Ok(refusal(StatusCode::UNAUTHORIZED, "The user name or the password is wrong."));
        }
        Ok(match (&head.method, path) {
            (&Method::GET, "/redfish/v1/Systems") => {
                document(StatusCode::OK, &json!({"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]}))
            }
            (&Method::GET, "/redfish/v1/Systems/1") => document(StatusCode::OK, &self.system()),
            (&Method::GET, "/redfish/v1/Systems/1/EthernetInterfaces") => document(
                StatusCode::OK,
                &json!({"Members": [
                {"@odata.id": "/redfish/v1/Systems/1/EthernetInterfaces/1", "Id": "NIC.1", "MACAddress": self.arguments.mac,
                    "LinkStatus": "LinkUp"}]}),
            ),
            (&Method::PATCH, "/redfish/v1/Systems/1") => self.boot(sent),
            (&Method::POST, "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset") => self.reset(sent).await?,
            _ => refusal(StatusCode::NOT_FOUND, "There is no such resource."),
        })
    }

    const fn mode(&self) -> &'static str {
        if self.arguments.firmware.is_some() { "UEFI" } else { "Legacy" }
    }

    const fn targets(&self) -> &'static [&'static str] {
        if self.arguments.firmware.is_some() { UEFI_TARGETS } else { TARGETS }
    }

    fn is_on(&mut self) -> bool {
        // A machine that was switched off by its own system is a process that has ended.
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    fn system(&mut self) -> Value {
        let power = if self.is_on() { "On" } else { "Off" };
        json!({
            "@odata.id": "/redfish/v1/Systems/1", "Id": "1", "SerialNumber": self.arguments.serial, "Manufacturer": "QEMU",
            "Model": "q35", "PowerState": power, "Status": {"Health": "OK"},
            "MemorySummary": {"TotalSystemMemoryGiB": f64::from(self.arguments.memory) / 1024.0}, "ProcessorSummary": {"Count": 1},
            "Boot": {"BootSourceOverrideTarget": self.target, "BootSourceOverrideEnabled": self.enabled,
                "BootSourceOverrideMode": self.mode(), "BootSourceOverrideTarget@Redfish.AllowableValues": self.targets()},
            "Actions": {"#ComputerSystem.Reset": {"target": "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset",
                "ResetType@Redfish.AllowableValues": WORDS}},
            "EthernetInterfaces": {"@odata.id": "/redfish/v1/Systems/1/EthernetInterfaces"},
        })
    }

    fn boot(&mut self, sent: &Value) -> Reply {
        let word = |key: &str| sent["Boot"].get(key).and_then(Value::as_str);
        let (target, enabled) = (word("BootSourceOverrideTarget"), word("BootSourceOverrideEnabled"));
        if target.is_some_and(|t| !self.targets().contains(&t)) {
            return refusal(StatusCode::BAD_REQUEST, "The target is not in the list of acceptable values.");
        }
        if enabled.is_some_and(|e| !["Disabled", "Once", "Continuous"].contains(&e)) {
            return refusal(StatusCode::BAD_REQUEST, "It is enabled for neither once nor always.");
        }
        if word("BootSourceOverrideMode").is_some_and(|mode| mode != self.mode()) {
            return refusal(StatusCode::BAD_REQUEST, "The system has no other firmware than the one it has.");
        }
        self.target = target.unwrap_or(&self.target).to_owned();
        self.enabled = enabled.unwrap_or(&self.enabled).to_owned();
        done()
    }

    async fn reset(&mut self, sent: &Value) -> Result<Reply> {
        match sent["ResetType"].as_str().unwrap_or_default() {
            "On" => {
                if !self.is_on() {
                    self.on()?;
                }
            }
            "ForceOff" => self.off().await?,
            "ForceRestart" => {
                self.off().await?;
                self.on()?;
            }
            "GracefulShutdown" => self.tell("system_powerdown").await?,
            word => return Ok(refusal(StatusCode::BAD_REQUEST, &format!("{word:?} is not in the list of resets."))),
        }
        Ok(done())
    }

    fn on(&mut self) -> Result<()> {
        let at = |name: &str| self.arguments.directory.join(name).display().to_string();
        let is_http = self.target == "UefiHttp";
        let network = (self.target == "Pxe" || is_http) && self.enabled != "Disabled";
        let mut firmware = Vec::new();
        let mut card = format!("virtio-net-pci,netdev=n0,mac={}", self.arguments.mac);
        let mut disk = "virtio-blk-pci,drive=d0".to_owned();
        if let Some(file) = &self.arguments.firmware {
            // This firmware knows no difference between once and always. It goes from the network to the disk by itself where the network
            // says so, and without the card's own program it does what that of other cards does.
            let (first, second) = if network { (&mut card, &mut disk) } else { (&mut disk, &mut card) };
            first.push_str(",bootindex=1");
            second.push_str(",bootindex=2");
            card.push_str(",romfile=");
            firmware.extend(["-bios".to_owned(), file.display().to_string()]);
            for (family, is_on) in [("IPv4", !is_http), ("IPv6", false)] {
                let word = if is_on { "y" } else { "n" };
                firmware
                    .extend(["-fw_cfg".to_owned(), format!("name=opt/org.tianocore/{family}PXESupport,string={word}")]);
            }
        } else {
            let order = match (network, self.enabled.as_str()) {
                // A restart of the machine by itself is another start.
                (true, "Once") => "order=c,once=n",
                (true, _) => "order=n",
                (false, _) => "order=c",
            };
            firmware.extend(["-boot".to_owned(), order.to_owned()]);
        }
        if self.enabled == "Once" {
            self.enabled = "Disabled".into();
            self.target = "None".into();
        }
        let log = std::fs::OpenOptions::new().create(true).append(true).open(at("qemu.log"))?;
        let child = Command::new("qemu-system-x86_64")
            .args(["-accel", "tcg", "-machine", "q35", "-cpu", "max", "-display", "none"])
            .args(&firmware)
            .args(["-m", &self.arguments.memory.to_string()])
            .args(["-netdev", &format!("tap,id=n0,ifname={},script=no,downscript=no", self.arguments.tap)])
            .args(["-device", &card])
            .args(["-drive", &format!("file={},format=raw,if=none,id=d0", self.arguments.disk.display())])
            .args(["-device", &disk])
            .args(["-serial", &format!("file:{}", at("serial.log"))])
            .args(["-qmp", &format!("unix:{},server=on,wait=off", at("qmp.sock"))])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .context("qemu-system-x86_64")?;
        self.child = Some(child);
        Ok(())
    }

    async fn off(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Tells QEMU something (QMP). A machine that is off has nobody to be told.
    async fn tell(&mut self, what: &str) -> Result<()> {
        if !self.is_on() {
            return Ok(());
        }
        let mut stream = UnixStream::connect(socket(&self.arguments.directory)).await.context("QMP")?;
        let words = format!("{{\"execute\":\"qmp_capabilities\"}}\n{{\"execute\":\"{what}\"}}\n");
        Ok(stream.write_all(words.as_bytes()).await?)
    }
}

fn socket(directory: &Path) -> PathBuf {
    directory.join("qmp.sock")
}
