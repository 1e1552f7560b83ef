//! Repositories on the other side of a connection: a Git server over HTTPS that asks who it is, and one over SSH.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Stdio},
    sync::Arc,
    time::Duration,
};

use meetme_base::Reach;
use rustls::pki_types::PrivatePkcs8KeyDer;

use super::*;

/// Longer than anything here takes on a busy machine.
const SOON: Duration = Duration::from_secs(60);

/// `ada:hunter2`, as a browser sends it.
const ADA: &str = "Basic YWRhOmh1bnRlcjI=";

/// A small web server over TLS that hands everything to `git http-backend`.
struct Web {
    port: u16,
    certificate: PathBuf,
}

impl Web {
    /// Serves the repositories below a directory to whoever says that they are Ada.
    fn serve(root: &Path) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = root.join("certificate.pem");
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key.into()).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let root = root.to_owned();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (config, root) = (Arc::clone(&config), root.clone());
                std::thread::spawn(move || answer(stream, config, &root));
            }
        });
        Self { port, certificate }
    }
}

/// One request, one answer. A peer that goes away in between is its own business.
fn answer(stream: TcpStream, config: Arc<rustls::ServerConfig>, root: &Path) -> Option<()> {
    let mut reader = BufReader::new(rustls::StreamOwned::new(rustls::ServerConnection::new(config).ok()?, stream));
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut headers = std::collections::HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let said = |name: &str| headers.get(name).map(String::as_str).unwrap_or_default();
    let mut body = vec![0; said("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut stream = reader.into_inner();
    if said("authorization") != ADA {
        let refusal =
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(refusal.as_bytes()).ok()?;
        return stream.flush().ok();
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut backend = Command::new("git");
    backend.arg("http-backend").env("GIT_PROJECT_ROOT", root).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_USER", "ada");
    backend.env("PATH_INFO", path).env("QUERY_STRING", query).env("REQUEST_METHOD", &method);
    for (variable, header) in [
        ("CONTENT_TYPE", "content-type"),
        ("CONTENT_LENGTH", "content-length"),
        ("HTTP_CONTENT_ENCODING", "content-encoding"),
        ("GIT_PROTOCOL", "git-protocol"),
    ] {
        backend.env(variable, said(header));
    }
    let mut backend = backend.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    backend.stdin.take()?.write_all(&body).ok()?;
    let out = backend.wait_with_output().ok()?.stdout;
    let end = out.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&out[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
    let rest: String = head.lines().filter(|line| !line.starts_with("Status")).map(|l| format!("{l}\r\n")).collect();
    let length = out.len() - end - 4;
    let head = format!("HTTP/1.1 {status}\r\n{rest}Content-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&out[end + 4..]).ok()?;
    stream.conn.send_close_notify();
    stream.flush().ok()
}

/// A bare repository `bare` below the world's directory; none, said aloud, where there is no `git`.
fn bare(w: &World) -> Option<PathBuf> {
    if repository(w.root.path(), &[("base.j2", "one")]).is_none() {
        println!("SKIPPED: there is no git program");
        return None;
    }
    assert!(git(w.root.path(), &["clone", "--quiet", "--bare", "repo", "bare"]));
    Some(w.root.path().join("bare"))
}

/// Somebody else commits to the repository.
fn changed(w: &World, text: &str) {
    let repo = w.root.path().join("repo");
    commit(&repo, &[("base.j2", text)]);
    assert!(git(&repo, &["push", "--quiet", "../bare", "main"]));
}

async fn pushed(w: &World, name: &'static str, source: Id<DataSource>, settings: Settings) -> Result<String, String> {
    let top = w.top;
    let job = as_system(&w.place.app, move |_, tx| {
        let text = "router {{ router.name }}\n".to_owned();
        let template = tx.create(top, Template { name: format!("T {name}"), text, ..Template::default() })?.id;
        let router = Router {
            name: name.into(),
            hostname: name.into(),
            template: Some(template),
            publishes: Publishes { source: Some(source), path: format!("{name}.conf") },
            ..Router::default()
        };
        let router = tx.create(top, router)?.id;
        sources::push(tx, router)
    });
    let work = Work::new(job.await, Actor::system(), Arc::clone(w.place.app.clock()));
    SourceWorker::new(w.place.app.clone(), settings).run(&work).await.map(|done| done.output)
}

async fn texts(w: &World) -> Vec<(String, String)> {
    w.files().await.into_iter().map(|file| (file.path, file.text.unwrap_or_default())).collect()
}

#[tokio::test]
async fn a_repository_is_read_and_written_over_https_by_who_may() {
    let w = World::one().await;
    let Some(_bare) = bare(&w) else { return };
    let web = Web::serve(w.root.path());
    let here = Reach { allow: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()] };
    let settings = Settings { reach: here, certificates: Some(web.certificate.clone()), ..Settings::default() };
    let sealer = |text: &str| w.place.app.sealer().seal(text).unwrap();
    let url = format!("https://localhost:{}/bare", web.port);
    let make = async |name: &str, password: &str| {
        let (name, password) = (name.to_owned(), Some(sealer(password)));
        let form = SourceForm::Git;
        let source = DataSource { name, form, url: url.clone(), ..DataSource::default() };
        w.make(DataSource { parameters: Some(serde_json::json!({"username": "ada"})), password, ..source }).await
    };
    let good = make("good", "hunter2").await;
    w.sync(good, settings.clone()).await.unwrap();
    assert_eq!(texts(&w).await, [("base.j2".to_owned(), "one".to_owned())]);
    changed(&w, "two");
    let said = pushed(&w, "edge1", good, settings.clone()).await.unwrap();
    assert!(said.starts_with("edge1.conf is in the commit "), "{said}");
    w.sync(good, settings.clone()).await.unwrap();
    let wanted = [("base.j2", "two"), ("edge1.conf", "router edge1")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(texts(&w).await, wanted);
    // Whoever has another password, trusts nobody, or may not go there, has nothing; and no password is told.
    let bad = make("bad", "hunter3").await;
    let why = w.sync(bad, settings.clone()).await.unwrap_err();
    assert!(why.starts_with("Git failed:") && !why.contains("hunter"), "{why}");
    let untrusting = Settings { certificates: None, ..settings.clone() };
    let why = w.sync(good, untrusting).await.unwrap_err();
    assert!(why.contains("certificate"), "{why}");
    let why = w.sync(good, Settings { reach: Reach::default(), ..settings }).await.unwrap_err();
    assert!(why.contains("is not one that sources may be at"), "{why}");
}

/// An SSH server on a port of its own, which ends with this value.
struct Shell {
    server: Child,
    port: u16,
    folder: PathBuf,
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Both fail only when it has ended by itself.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

impl Shell {
    /// Lets in whoever has the key `key` of the folder; none, said aloud, where no server can be had.
    async fn serve(folder: &Path) -> Option<Self> {
        let skip = |why: &str| println!("SKIPPED: {why}");
        let program = Path::new("/usr/sbin/sshd");
        if !program.exists() {
            skip("there is no sshd program");
            return None;
        }
        // Where a system that starts services would have made it.
        if std::fs::create_dir_all("/run/sshd").is_err() {
            skip("sshd needs /run/sshd");
            return None;
        }
        for name in ["host", "key"] {
            let file = folder.join(name);
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&file).status();
            assert!(made.unwrap().success());
        }
        let public = |name: &str| std::fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap();
        std::fs::write(folder.join("authorized"), public("key")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = folder.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin prohibit-password\n"
        );
        std::fs::write(folder.join("sshd_config"), config).unwrap();
        let log = std::fs::File::create(folder.join("sshd.log")).unwrap();
        let server = Command::new(program).args(["-D", "-e", "-f"]).arg(folder.join("sshd_config")).stderr(log).spawn();
        let this = Self { server: server.unwrap(), port, folder: folder.to_owned() };
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let up = tokio::time::timeout(SOON, async {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                tick.tick().await;
            }
        });
        assert!(up.await.is_ok(), "{}", this.log());
        Some(this)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("sshd.log")).unwrap_or_default()
    }
}

#[tokio::test]
async fn a_repository_is_read_and_written_over_ssh_from_a_host_that_is_known() {
    let w = World::one().await;
    let (Some(bare), folder) = (bare(&w), TempDir::new().unwrap()) else { return };
    let Some(shell) = Shell::serve(folder.path()).await else { return };
    let host = std::fs::read_to_string(folder.path().join("host.pub")).unwrap();
    std::fs::write(folder.path().join("known"), format!("localhost {host}")).unwrap();
    let settings = Settings {
        reach: Reach { allow: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()] },
        ssh_key: Some(folder.path().join("key")),
        known_hosts: Some(folder.path().join("known")),
        ..Settings::default()
    };
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    let user = String::from_utf8(user).unwrap();
    let url = format!("ssh://{}@localhost:{}{}", user.trim(), shell.port, bare.display());
    let id = w.source(SourceForm::Git, &url).await;
    w.sync(id, settings.clone()).await.unwrap_or_else(|why| panic!("{why}\n{}", shell.log()));
    assert_eq!(texts(&w).await, [("base.j2".to_owned(), "one".to_owned())]);
    let said = pushed(&w, "edge1", id, settings.clone()).await.unwrap();
    assert!(said.starts_with("edge1.conf is in the commit "), "{said}");
    w.sync(id, settings.clone()).await.unwrap();
    assert_eq!(w.names().await, ["base.j2", "edge1.conf"]);
    // A host that shows another key than the operator knows is not spoken to, and one without any key not at all.
    let other = std::fs::read_to_string(folder.path().join("key.pub")).unwrap();
    std::fs::write(folder.path().join("known"), format!("localhost {other}")).unwrap();
    let why = w.sync(id, settings.clone()).await.unwrap_err();
    assert!(why.starts_with("Git failed:"), "{why}");
    let why = w.sync(id, Settings { known_hosts: None, ..settings }).await.unwrap_err();
    assert_eq!(why, "The operator has set up no SSH for data sources.");
}
