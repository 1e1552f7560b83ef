//! A Git repository, read by the `git` program in a fence: it asks nobody, runs nothing of the repository, speaks one protocol to one
//! address that was checked, and has little time and room.

use std::{
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use meetme_base::Secret;
use meetme_model::ops::{DataFile, GitParameters};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    time::timeout,
};

use crate::{Settings, files::Basket, local};

/// The largest file that `git` may write, in blocks of 512 bytes: 64 MiB.
const BLOCKS: u32 = 131_072;
/// The most that is read of what `git` says.
const SAID: u64 = 64 * 1024 * 1024;

/// Where a repository is and how it is opened.
pub(crate) struct Remote<'a> {
    pub url: &'a str,
    pub parameters: GitParameters,
    pub password: Option<Secret<String>>,
}

/// A bare repository of our own for the time of one synchronisation.
pub(crate) struct Repository<'a> {
    settings: &'a Settings,
    home: TempDir,
    /// Settings of `git` for every call: name and value.
    config: Vec<(String, String)>,
    scheme: &'static str,
    ssh: Option<String>,
}

impl<'a> Repository<'a> {
    /// Gets ready to speak to a repository, and to nothing else.
    pub async fn new(settings: &'a Settings, remote: &Remote<'_>) -> Result<Self, String> {
        let home =
            TempDir::with_prefix("meetme-git-").map_err(|e| format!("No room for a repository: {}.", e.kind()))?;
        let mut this = Self { settings, home, config: Vec::new(), scheme: "https", ssh: None };
        let fixed = [
            ("core.hooksPath", "/dev/null"),
            ("credential.helper", ""),
            ("http.followRedirects", "false"),
            ("http.lowSpeedLimit", "1000"),
            ("http.lowSpeedTime", "15"),
            ("protocol.allow", "never"),
            ("submodule.recurse", "false"),
            ("gc.auto", "0"),
            ("safe.directory", "*"),
            ("init.defaultBranch", "main"),
        ];
        this.config.extend(fixed.map(|(name, value)| (name.to_owned(), value.to_owned())));
        if let Some(path) = remote.url.strip_prefix("file://") {
            this.scheme = "file";
            // Checked, and then called by the name it really has.
            local::place(settings.root.as_deref(), path)?;
        } else if let Some(rest) = remote.url.strip_prefix("https://") {
            let (host, port) = host_and_port(rest.split('/').next().unwrap_or_default(), 443)?;
            let address = this.resolve(&host, port).await?;
            let shown = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
            this.config.push(("http.curloptResolve".to_owned(), format!("{host}:{port}:{shown}")));
            if let Some(file) = &settings.certificates {
                this.config.push(("http.sslCAInfo".to_owned(), file.display().to_string()));
            }
            if let Some(password) = &remote.password {
                let user = remote.parameters.username.as_deref().unwrap_or("git");
                let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
                this.config.push(("http.extraHeader".to_owned(), format!("Authorization: Basic {pair}")));
            }
        } else {
            this.scheme = "ssh";
            this.ssh = Some(this.ssh_command(remote.url).await?);
        }
        this.config.push((format!("protocol.{}.allow", this.scheme), "always".to_owned()));
        this.run(&["init", "--quiet", "--bare", "."], None).await?;
        Ok(this)
    }

    /// An address of the host that may be called. The connection goes to this one: a name may lead elsewhere a moment later.
    async fn resolve(&self, host: &str, port: u16) -> Result<IpAddr, String> {
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let looked = timeout(Duration::from_secs(10), tokio::net::lookup_host((bare, port))).await;
        let found: Vec<SocketAddr> = match looked {
            Ok(Ok(found)) => found.collect(),
            _ => return Err(format!("The name {host} cannot be resolved.")),
        };
        let open = found.into_iter().map(|address| address.ip()).find(|ip| self.settings.reach.permits(*ip));
        open.ok_or_else(|| {
            format!("The address of {host} is not one that sources may be at; the operator can allow its network.")
        })
    }

    async fn ssh_command(&self, url: &str) -> Result<String, String> {
        let hosts = self.settings.known_hosts.as_deref().ok_or("The operator has set up no SSH for data sources.")?;
        let authority = match url.strip_prefix("ssh://") {
            Some(rest) => rest.split('/').next().unwrap_or_default(),
            None => url.split(':').next().unwrap_or_default(),
        };
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        let (host, port) = host_and_port(authority, 22)?;
        let address = self.resolve(&host, port).await?;
        let mut out = format!(
            "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile={} -o HostName={address} -o \
             HostKeyAlias={} -o ConnectTimeout=10 -o ProxyCommand=none -o ForwardAgent=no -o IdentitiesOnly=yes",
            quoted(hosts),
            quoted(Path::new(&host)),
        );
        if let Some(key) = &self.settings.ssh_key {
            out.push_str(&format!(" -i {}", quoted(key)));
        }
        Ok(out)
    }

    /// Fetches the newest commit of the branch, and answers its name.
    pub async fn fetch(&self, remote: &Remote<'_>) -> Result<String, String> {
        let branch = match &remote.parameters.branch {
            Some(branch) => format!("refs/heads/{branch}"),
            None => "HEAD".to_owned(),
        };
        let words =
            ["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", remote.url, &branch];
        self.run(&words, None).await?;
        let revision = self.run(&["rev-parse", "--verify", "FETCH_HEAD^{commit}"], None).await?;
        Ok(String::from_utf8_lossy(&revision).trim().to_owned())
    }

    /// Takes the wanted files out of a commit. Links and submodules are passed over: they lead elsewhere.
    pub async fn read(&self, revision: &str, basket: &mut Basket) -> Result<(), String> {
        let listing = self.run(&["ls-tree", "-r", "-l", "-z", "--full-tree", revision], None).await?;
        let (mut wanted, mut ask) = (Vec::new(), String::new());
        for entry in listing.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let Ok(entry) = std::str::from_utf8(entry) else {
                basket.pass(&String::from_utf8_lossy(entry), "its name is no text");
                continue;
            };
            let Some((about, path)) = entry.split_once('\t') else { continue };
            let mut words = about.split_whitespace();
            let (mode, kind, object, size) = (words.next(), words.next(), words.next(), words.next());
            if kind != Some("blob") || mode == Some("120000") {
                basket.pass(path, "it is a link");
                continue;
            }
            let (Some(object), Some(size)) = (object, size.and_then(|size| size.parse::<u64>().ok())) else { continue };
            // Counted here, so that what is too much is never fetched from the object store.
            if basket.wants(path, size)? {
                ask.push_str(object);
                ask.push('\n');
                wanted.push(path.to_owned());
            }
        }
        let said = self.run(&["cat-file", "--batch"], Some(ask)).await?;
        let mut rest = said.as_slice();
        for path in wanted {
            let broken = || format!("{path} cannot be read out of the repository.");
            let end = rest.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
            let head = std::str::from_utf8(&rest[..end]).map_err(|_| broken())?;
            let size: usize = head.rsplit(' ').next().and_then(|size| size.parse().ok()).ok_or_else(broken)?;
            let body = rest.get(end + 1..end + 1 + size).ok_or_else(broken)?;
            if size as u64 > DataFile::MOST {
                return Err(broken());
            }
            basket.put(path.clone(), body.to_vec());
            rest = rest.get(end + 2 + size..).unwrap_or_default();
        }
        Ok(())
    }

    /// Puts a file into a new commit behind this one and pushes that; the answer is its name, or nothing when the file is as it was.
    pub async fn push(
        &self,
        remote: &Remote<'_>,
        revision: &str,
        (path, text): (&str, String),
        message: &str,
    ) -> Result<Option<String>, String> {
        let branch = match &remote.parameters.branch {
            Some(branch) => format!("refs/heads/{branch}"),
            None => self.default_branch(remote).await?,
        };
        let word = |said: Vec<u8>| String::from_utf8_lossy(&said).trim().to_owned();
        let blob = word(self.run(&["hash-object", "-w", "--stdin"], Some(text)).await?);
        self.run(&["read-tree", revision], None).await?;
        let entry = format!("100644,{blob},{path}");
        self.run(&["update-index", "--add", "--cacheinfo", &entry], None).await?;
        let tree = word(self.run(&["write-tree"], None).await?);
        if tree == word(self.run(&["rev-parse", &format!("{revision}^{{tree}}")], None).await?) {
            return Ok(None);
        }
        let commit = word(self.run(&["commit-tree", &tree, "-p", revision, "-m", message], None).await?);
        let to = format!("{commit}:{branch}");
        let mut words = vec!["push", "--quiet"];
        if self.scheme == "file" {
            // Here the other side runs on this machine, and its hooks with it.
            words.push("--receive-pack=git -c core.hooksPath=/dev/null receive-pack");
        }
        words.extend(["--", remote.url, &to]);
        self.run(&words, None).await?;
        Ok(Some(commit))
    }

    /// The branch that the repository's HEAD stands for.
    async fn default_branch(&self, remote: &Remote<'_>) -> Result<String, String> {
        let said = self.run(&["ls-remote", "--symref", "--", remote.url, "HEAD"], None).await?;
        let said = String::from_utf8_lossy(&said).into_owned();
        let found = said.lines().find_map(|line| line.strip_prefix("ref: ")?.split_whitespace().next());
        found.map(str::to_owned).ok_or_else(|| "The repository does not say which branch is its own.".to_owned())
    }

    /// Runs `git`; the error is what it said last, in one line.
    async fn run(&self, words: &[&str], input: Option<String>) -> Result<Vec<u8>, String> {
        let mut command = Command::new("sh");
        // Every file it writes is bounded; the shell is there for that alone.
        command.args(["-c", &format!("ulimit -f {BLOCKS}; exec git \"$@\""), "git"]).args(words);
        command.current_dir(self.home.path()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()));
        for (name, value) in [
            ("HOME", "/nonexistent"),
            ("LC_ALL", "C"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_ASKPASS", "false"),
            ("SSH_ASKPASS", "false"),
            ("GIT_ALLOW_PROTOCOL", self.scheme),
            ("GIT_ATTR_NOSYSTEM", "1"),
            ("GIT_INDEX_FILE", "index.meetme"),
            ("GIT_AUTHOR_NAME", "Meetme"),
            ("GIT_AUTHOR_EMAIL", "meetme@localhost"),
            ("GIT_COMMITTER_NAME", "Meetme"),
            ("GIT_COMMITTER_EMAIL", "meetme@localhost"),
        ] {
            command.env(name, value);
        }
        if let Some(ssh) = &self.ssh {
            command.env("GIT_SSH_COMMAND", ssh).env("GIT_SSH_VARIANT", "ssh");
        }
        // In the environment and not among the words: those are everybody's to read.
        command.env("GIT_CONFIG_COUNT", self.config.len().to_string());
        for (i, (name, value)) in self.config.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{i}"), name).env(format!("GIT_CONFIG_VALUE_{i}"), value);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let seconds = self.settings.limits.seconds;
        match timeout(Duration::from_secs(seconds), talk(command, input)).await {
            Ok(done) => done,
            Err(_) => Err(format!("Git took more than {seconds} seconds.")),
        }
    }
}

async fn talk(mut command: Command, input: Option<String>) -> Result<Vec<u8>, String> {
    let broken = |e: std::io::Error| format!("Git cannot be run: {}.", e.kind());
    let mut child = command.spawn().map_err(broken)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
        return Err("Git cannot be run.".to_owned());
    };
    let write = async move {
        // It may end before it has read everything, which its status tells.
        if let Some(input) = input
            && stdin.write_all(input.as_bytes()).await.is_err()
        {
            tracing::debug!("git stopped listening");
        }
    };
    let (mut out, mut errors) = (Vec::new(), Vec::new());
    let (mut stdout, mut stderr) = (stdout.take(SAID), stderr.take(SAID));
    let (_, read, said) = tokio::join!(write, stdout.read_to_end(&mut out), stderr.read_to_end(&mut errors));
    read.and(said).map_err(broken)?;
    let status = child.wait().await.map_err(broken)?;
    if status.success() {
        return Ok(out);
    }
    let text = String::from_utf8_lossy(&errors);
    let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
    Err(format!("Git failed: {}", line.chars().take(300).collect::<String>()))
}

fn host_and_port(authority: &str, usual: u16) -> Result<(String, u16), String> {
    let bad = || "The address of the repository cannot be read.".to_owned();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| bad())?),
        _ => (authority, usual),
    };
    if host.is_empty() { Err(bad()) } else { Ok((host.to_owned(), port)) }
}

/// A word that a shell reads as one.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// Whether there is a `git` here.
pub(crate) fn is_there() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder: PathBuf| folder.join("git").is_file())
}
