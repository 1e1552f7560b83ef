//! A Python with the libraries of third-party clients, pinned and unchanged.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use meetme_lab::Skip;

/// What is installed, with the hash of every file that may be.
const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/clients/requirements.txt");

/// What pip says when the package index cannot be reached, and never when a package is not what it should be.
const UNREACHABLE: &str = "connection broken by";

/// The interpreter of the environment, which is made once for all runs with the same requirements.
pub fn python() -> Result<PathBuf, Skip> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(target).unwrap();
    let wanted = fs::read(REQUIREMENTS).unwrap();
    let home = target.join("clients");
    let (python, installed) = (home.join("bin/python"), home.join("installed.txt"));
    // Tests run in processes of their own: the first makes it while the others wait. The lock goes with the file.
    let lock = fs::File::create(target.join("clients.lock")).unwrap();
    lock.lock().unwrap();
    if fs::read(&installed).is_ok_and(|is| is == wanted) {
        return Ok(python);
    }
    if home.exists() {
        fs::remove_dir_all(&home).unwrap();
    }
    let bare = ["/usr/bin/python3", "python3"].into_iter().find_map(|python| {
        let made = run(Command::new(python).args(["-m", "venv"]).arg(&home)).ok()?;
        made.status.success().then_some(())
    });
    bare.ok_or_else(|| Skip::new("no Python here can make an environment (python3-venv)"))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--timeout", "20", "--retries", "1"]);
    let said = run(pip.args(["--require-hashes", "--only-binary", ":all:", "--requirement", REQUIREMENTS])).unwrap();
    if !said.status.success() {
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(text.contains(UNREACHABLE), "the clients could not be installed: {text}");
        return Err(Skip::new("the package index of Python cannot be reached"));
    }
    fs::write(&installed, wanted).unwrap();
    Ok(python)
}

/// Runs a script of `tests/clients` and hands out what it printed.
///
/// # Panics
/// When it fails, with everything it said.
pub async fn script(python: &Path, name: &str, environment: &[(&str, &str)]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients").join(name);
    let mut script = Command::new(python);
    // Alone, and leaving nothing beside the scripts.
    script.args(["-I", "-B"]).arg(file).envs(environment.iter().copied());
    let done = tokio::task::spawn_blocking(move || run(&mut script).unwrap()).await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{name} stopped:\n{out}\n{err}");
    out.into_owned()
}

fn run(command: &mut Command) -> std::io::Result<Output> {
    command.stdin(std::process::Stdio::null()).output()
}
