//! docs/bare-metal.md, word for word: from an empty server behind a management controller to a machine that is logged in to, installed
//! anew, and wiped. A real QEMU machine, our own installation system, everything over a network of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use meetme_lab::{Lab, Skip};

/// Longer than the whole tour takes on a busy machine: two installations, three starts and a wiping by an emulated processor.
const PATIENCE: Duration = Duration::from_secs(900);

/// The lines that the document gives to a shell, in their order.
fn lines(document: &str) -> String {
    let tour = document.split("\n## ").nth(1).unwrap();
    let blocks = tour.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

/// Why the tour cannot be made here.
fn lacking() -> Result<(), Skip> {
    // Also says whether namespaces can be made.
    drop(Lab::new()?);
    let programs = [
        "qemu-system-x86_64",
        "dnsmasq",
        "busybox",
        "cpio",
        "depmod",
        "dropbear",
        "sfdisk",
        "mkfs.fat",
        "mcopy",
        "syslinux",
        "ssh",
        "ssh-keygen",
        "jq",
        "curl",
        "apt-get",
    ];
    programs.into_iter().try_for_each(|name| meetme_lab::program(name).map(drop))?;
    let is_wanted =
        std::env::var("MEETME_LAB").as_deref() == Ok("require") || std::env::var_os("MEETME_LAB_LONG").is_some();
    if !is_wanted {
        return Err(Skip::new("two installations by an emulated processor take minutes: `make lab` makes the tour"));
    }
    Ok(())
}

/// The machine and the server, taken down whatever happens.
struct Left {
    root: PathBuf,
    home: PathBuf,
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Ok(pid) = std::fs::read_to_string(self.home.join("meetme.pid")) {
            // One that has ended by itself needs none.
            drop(Command::new("kill").arg(pid.trim()).status());
        }
        let script = self.root.join("tests/metal/lab.sh");
        drop(Command::new(script).arg("down").arg(&self.home).stdout(Stdio::null()).status());
    }
}

#[tokio::test]
async fn the_tour_of_bare_metal_ends_with_a_wiped_disk() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    if let Err(skip) = lacking() {
        skip.report();
        return;
    }
    let document = std::fs::read_to_string(root.join("docs/bare-metal.md")).unwrap();
    let home = tempfile::tempdir().unwrap();
    let script = lines(&document).replace("/tmp/meetme-metal", home.path().to_str().unwrap());
    assert!(script.contains("wait_until active") && script.contains("packet DELETE"), "the tour is not there");
    let bin = Path::new(env!("CARGO_BIN_EXE_meetme")).parent().unwrap().to_owned();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--package", "meetme-testmachine"])
        .current_dir(&root)
        .status()
        .unwrap();
    assert!(built.success(), "the machine of the tour cannot be built");
    let left = Left { root: root.clone(), home: home.path().to_owned() };
    let path = format!("{}:{}:/usr/sbin:/sbin", bin.display(), std::env::var("PATH").unwrap());
    let said = home.path().join("tour.log");
    let out = std::fs::File::create(&said).unwrap();
    let mut tour = tokio::process::Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(&root)
        .env("PATH", path)
        .stdin(Stdio::null())
        .stdout(out.try_clone().unwrap())
        .stderr(out)
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let ended = tokio::time::timeout(PATIENCE, tour.wait()).await;
    let told = || {
        let read =
            |name: &str| String::from_utf8_lossy(&std::fs::read(left.home.join(name)).unwrap_or_default()).into_owned();
        let server = read("meetme.log");
        let server: Vec<&str> = server.lines().filter(|line| !line.contains("answered")).collect();
        format!(
            "{}\n--- server\n{}\n--- dnsmasq\n{}\n--- machine\n{}",
            read("tour.log"),
            server.join("\n"),
            read("data/netboot/dnsmasq.log"),
            read("machine/serial.log")
        )
    };
    assert!(ended.is_ok_and(|status| status.unwrap().success()), "{}", told());
    let log = std::fs::read_to_string(&said).unwrap();
    assert!(log.contains("tour1: nothing is left on the disk"), "{log}");
    // True percentages: the steps of the machine are seen one after another.
    let steps = log.lines().filter(|line| line.starts_with("tour1: provisioning ")).count();
    assert!(steps >= 3, "{log}");
}
