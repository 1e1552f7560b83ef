//! The cluster that all test processes share: found or started under a file lock, kept alive by a shared lock that each
//! process holds until it ends, however it ends.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use anyhow::{Context, Result};
use meetme_store::Open;
use postgres::{Client, Config, NoTls, config::Host};

use crate::{Skip, Temp, server::Server, unique_name};

/// Stops the server when nobody has held the `use` file for a minute. It looks while it holds the lock under which servers are
/// found, so that none is stopped just as it is found.
const WATCHDOG: &str = r#"
home=$1; folder=$2; shift 2
exec 9>"$home/watch"
flock -n 9 || exit 0
idle=0
while :; do
  sleep 5
  pid=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null) || break
  kill -0 "$pid" 2>/dev/null || break
  if flock -n -x "$home/use" true; then idle=$((idle + 1)); else idle=0; fi
  [ "$idle" -lt 12 ] && continue
  exec 8>"$home/lock"
  flock 8
  if flock -n -x "$home/use" true; then break; fi
  exec 8>&-
  idle=0
done
"$@"
rm -rf "$folder" "$home/folder" "$home"/like_*
"#;

pub(crate) struct Cluster {
    /// A connection text without a database.
    base: String,
    home: PathBuf,
    /// Locked, shared, as long as this process lives.
    _used: Option<File>,
}

/// The cluster of this machine, found once in each process.
pub(crate) fn shared() -> Result<&'static Cluster, Skip> {
    static FOUND: OnceLock<Result<Cluster, Skip>> = OnceLock::new();
    FOUND.get_or_init(|| apart(find).map_err(|e| Skip(format!("{e:#}")))).as_ref().map_err(Clone::clone)
}

/// The driver runs a runtime of its own inside, which may not start on a thread of another one, such as an asynchronous test's.
fn apart<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    let out = std::thread::scope(|scope| scope.spawn(f).join());
    out.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn find() -> Result<Cluster> {
    let home = home();
    fs::create_dir_all(&home).with_context(|| home.display().to_string())?;
    if let Ok(text) = std::env::var("MEETME_TEST_POSTGRES") {
        let base = without_database(&text)?;
        let cluster = Cluster { base, home, _used: None };
        Client::connect(&cluster.url("postgres"), NoTls).context("MEETME_TEST_POSTGRES")?;
        return Ok(cluster);
    }
    let lock = File::create(home.join("lock"))?;
    lock.lock()?;
    let used = File::create(home.join("use"))?;
    used.lock_shared()?;
    let state = home.join("folder");
    let known = fs::read_to_string(&state).ok().map(|folder| Server { folder: PathBuf::from(folder.trim()) });
    let server = match known.filter(|server| Client::connect(&server.url("postgres"), NoTls).is_ok()) {
        Some(server) => server,
        None => {
            let server = Server::make(false)?;
            fs::write(&state, server.folder.as_os_str().as_encoded_bytes())?;
            server
        }
    };
    // Leaves at once when another one is on the watch.
    watch(WATCHDOG, &[&home, &server.folder], &server)?;
    Ok(Cluster { base: without_database(&server.url("postgres"))?, home, _used: Some(used) })
}

/// Starts a shell that outlives this process and holds none of its files, so that no test runner waits for it.
pub(crate) fn watch(script: &str, folders: &[&Path], server: &Server) -> Result<()> {
    let mut command = Command::new("setsid");
    command.args(["-f", "sh", "-c", script, "sh"]).args(folders).args(server.stop_line()?);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    command.status().context("starting the watchdog")?;
    Ok(())
}

/// Where the locks are: in the build's folder, or beside other temporary files when there is none.
fn home() -> PathBuf {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => PathBuf::from(folder),
        None if built.join("Cargo.toml").exists() => built.join("target"),
        None => std::env::temp_dir().join("meetme-tests"),
    };
    // The watchdog has another working folder.
    std::path::absolute(target.join("test-postgres")).unwrap_or(target)
}

/// The same connection without the name of a database.
fn without_database(text: &str) -> Result<String> {
    let config: Config = text.parse().context("a connection string")?;
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    let mut out = format!("host={} connect_timeout=10", quoted(&hosts.join(",")));
    if let Some(port) = config.get_ports().first() {
        out.push_str(&format!(" port={port}"));
    }
    if let Some(user) = config.get_user() {
        out.push_str(&format!(" user={}", quoted(user)));
    }
    if let Some(password) = config.get_password() {
        out.push_str(&format!(" password={}", quoted(&String::from_utf8_lossy(password))));
    }
    Ok(out)
}

impl Cluster {
    fn url(&self, database: &str) -> String {
        format!("{} dbname={database}", self.base)
    }

    fn say(&self, statements: &[String]) -> Result<(), postgres::Error> {
        apart(|| {
            let mut client = Client::connect(&self.url("postgres"), NoTls)?;
            // One by one: a database cannot be made in the transaction that several at once would be.
            statements.iter().try_for_each(|statement| client.batch_execute(statement))
        })
    }

    /// A new database, empty or a copy of a template.
    pub fn database(&'static self, template: Option<&str>) -> Result<Temp<Open>, Skip> {
        let name = unique_name();
        let from = template.map(|name| format!(" TEMPLATE {name}")).unwrap_or_default();
        self.say(&[format!("CREATE DATABASE {name}{from}")]).map_err(|e| Skip(format!("no database: {e}")))?;
        let open = self.open(&name);
        Ok(Temp::new(open, Database { cluster: self, name }))
    }

    fn open(&self, database: &str) -> Open {
        Open::Postgres { url: self.url(database), writers: 4, readers: 2 }
    }

    /// The name of a template, filled now if no process did it before.
    pub fn template(&self, name: &str, fill: &dyn Fn(&Open)) -> Result<String, Skip> {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let program = std::env::current_exe().and_then(|path| Ok((fs::metadata(&path)?.modified()?, path)));
        program.map_err(|e| Skip(e.to_string()))?.hash(&mut hasher);
        let template = format!("like_{:016x}", hasher.finish());
        self.make_template(&template, fill).map_err(|e| Skip(format!("no template: {e:#}")))?;
        Ok(template)
    }

    fn make_template(&self, template: &str, fill: &dyn Fn(&Open)) -> Result<()> {
        let lock = File::create(self.home.join(template))?;
        lock.lock()?;
        let found = apart(|| -> Result<Option<bool>> {
            let mut client = Client::connect(&self.url("postgres"), NoTls)?;
            let row = client.query_opt("SELECT datistemplate FROM pg_database WHERE datname = $1", &[&template])?;
            Ok(row.map(|row| row.get(0)))
        })?;
        match found {
            Some(true) => return Ok(()),
            // A process ended while it filled it.
            Some(false) => self.say(&[format!("DROP DATABASE {template} WITH (FORCE)")])?,
            None => {}
        }
        self.say(&[format!("CREATE DATABASE {template}")])?;
        fill(&self.open(template));
        let close = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{template}'");
        let keep = format!("ALTER DATABASE {template} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true");
        Ok(self.say(&[keep, close])?)
    }
}

struct Database {
    cluster: &'static Cluster,
    name: String,
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(e) = self.cluster.say(&[format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)]) {
            eprintln!("the database {} stays behind: {e}", self.name);
        }
    }
}
