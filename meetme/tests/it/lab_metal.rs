//! Real machines: QEMU behind a management controller that speaks Redfish, on a network of its own.
//!
//! The short tests go from an order to a machine that has started its owner's script over the network: by a BIOS, and by UEFI in both ways
//! it has. The long ones install: one with UEFI, and one that is docs/bare-metal.md, word for word: from an empty server to a machine that is
//! logged in to, speaks BGP, is installed anew, rescued, and wiped.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use meetme_lab::{Lab, Skip};

/// Longer than one start over the network takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(200);
/// Longer than the whole tour takes there: two installations, five starts and a wiping by an emulated processor.
const LONG_PATIENCE: Duration = Duration::from_secs(900);

/// A firmware of UEFI, and the program that its cards fetch to start a script.
const OVMF: &str = "/usr/share/ovmf/OVMF.fd";
const IPXE: &str = "/usr/lib/ipxe/snponly.efi";

/// What the short tests do after the document's steps 2 to 5.
const SCRIPT: &str = r##"
make image slug=custom_ipxe name="Custom iPXE" distro=custom_ipxe version=1 boot=script released:=true
packet() { inside curl -sS -X "$1" "http://127.0.0.1:8080$2" -H "X-Auth-Token: $MEETME_TOKEN" -H 'Content-Type: application/json' ${3:+-d "$3"}; }
PROJECT=$(packet POST /projects '{"name": "Short"}' | jq -er .id)
DEVICE=$(packet POST /projects/$PROJECT/devices '{
  "hostname": "short1", "plan": "q35.small", "operating_system": "custom_ipxe", "facility": "lab1", "billing_cycle": "hourly",
  "userdata": "#!ipxe\nimgfetch http://198.18.0.1:8081/userdata\nsleep 600\n"
}' | jq -er .id)
until [ "$(packet GET /devices/$DEVICE | jq -r .state)" = active ]; do sleep 0.5; done
until grep -q /userdata HOME/meetme.log; do sleep 0.5; done
packet GET /devices/$DEVICE | jq -r '"short1: \(.state), \(.provisioning_percentage) percent"'
"##;

/// The lines that a part of the document gives to a shell.
fn blocks(text: &str) -> String {
    let blocks = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

/// The document's tour.
fn tour() -> String {
    let document = std::fs::read_to_string(root().join("docs/bare-metal.md")).unwrap();
    document.split("\n## ").nth(1).unwrap().to_owned()
}

/// The lines of the tour's steps from one number to another.
fn steps(tour: &str, numbers: std::ops::RangeInclusive<usize>) -> String {
    let parts: Vec<&str> = tour.split("\n### ").collect();
    numbers.map(|n| blocks(parts[n])).collect::<Vec<_>>().join("\n")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Why there can be no machine here.
fn lacking(more: &[&str]) -> Result<(), Skip> {
    // Also says whether namespaces can be made.
    drop(Lab::new()?);
    let programs = ["qemu-system-x86_64", "dnsmasq", "jq", "curl"];
    programs.iter().chain(more).try_for_each(|name| meetme_lab::program(name).map(drop))?;
    let roms = ["/usr/lib/ipxe/qemu/pxe-virtio.rom", "/usr/share/qemu/pxe-virtio.rom"];
    if roms.iter().any(|rom| Path::new(rom).exists()) { Ok(()) } else { Err(Skip::new("ipxe-qemu is not installed")) }
}

/// The machine and the server, taken down whatever happens.
struct Left {
    home: tempfile::TempDir,
    /// The namespace, named so that a later lab takes it away should this process be killed.
    space: String,
    firmware: Option<&'static str>,
}

impl Left {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { home, space: format!("mm-{}-0-metal", std::process::id()), firmware: None }
    }

    fn read(&self, name: &str) -> String {
        String::from_utf8_lossy(&std::fs::read(self.home.path().join(name)).unwrap_or_default()).into_owned()
    }

    /// Runs a script to its end and hands out what it said.
    ///
    /// # Panics
    /// When it fails or takes too long, with everything everybody said.
    async fn run(&self, script: &str, patience: Duration) -> String {
        let script = script.replace("/tmp/meetme-metal", self.home.path().to_str().unwrap());
        let script = script.replace("mm-metal", &self.space);
        let script = script.replace("HOME/", &format!("{}/", self.home.path().display()));
        let build = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "meetme-testmachine"])
            .current_dir(root())
            .status();
        assert!(build.unwrap().success(), "the machine cannot be built");
        let bin = Path::new(env!("CARGO_BIN_EXE_meetme")).parent().unwrap().to_owned();
        let path = format!("{}:{}:/usr/sbin:/sbin", bin.display(), std::env::var("PATH").unwrap());
        let out = std::fs::File::create(self.home.path().join("script.log")).unwrap();
        let mut running = tokio::process::Command::new("bash")
            .args(["-euo", "pipefail", "-c", &script])
            .current_dir(root())
            .env("PATH", path)
            .env("SPACE", &self.space)
            .envs(self.firmware.map(|file| ("FIRMWARE", file)))
            .stdin(Stdio::null())
            .stdout(out.try_clone().unwrap())
            .stderr(out)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let ended = tokio::time::timeout(patience, running.wait()).await;
        let log = self.read("script.log");
        if ended.is_ok_and(|status| status.unwrap().success()) {
            return log;
        }
        let (server, dnsmasq) = (self.read("meetme.log"), self.read("data/netboot/dnsmasq.log"));
        panic!("{log}\n--- server\n{server}\n--- dnsmasq\n{dnsmasq}\n--- machine\n{}", self.read("machine/serial.log"));
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Ok(pid) = std::fs::read_to_string(self.home.path().join("meetme.pid")) {
            // One that has ended by itself needs none.
            drop(Command::new("kill").arg(pid.trim()).status());
        }
        let script = root().join("tests/metal/lab.sh");
        drop(
            Command::new(script)
                .arg("down")
                .arg(self.home.path())
                .env("SPACE", &self.space)
                .stdout(Stdio::null())
                .status(),
        );
    }
}

/// What of the document is another for a server with UEFI that fetches by TFTP, from [`BY_TFTP`].
const TFTP: &[(&str, &str)] = &[
    (r#""graceful_seconds": 0"#, r#""graceful_seconds": 0, "boot_mode": "uefi""#),
    ("[metal.dhcp]\n", "[metal.dhcp]\ntftp = \"/tmp/meetme-metal/tftp\"\n"),
];
const BY_TFTP: &str = "tftp/snponly.efi";
/// The same for one that fetches by HTTP.
const HTTP: &[(&str, &str)] = &[(r#""graceful_seconds": 0"#, r#""graceful_seconds": 0, "boot_mode": "uefi_http""#)];
const BY_HTTP: &str = "files/snponly.efi";

/// A server with a firmware of UEFI whose card knows nothing of us: iPXE is at the place where it fetches it. None where it cannot be.
fn with_uefi(place: &str) -> Option<Left> {
    let found = [OVMF, IPXE].iter().all(|file| Path::new(file).exists());
    let lacks = if found { lacking(&[]) } else { Err(Skip::new("ovmf or ipxe is not installed")) };
    if let Err(skip) = lacks {
        skip.report();
        return None;
    }
    let mut left = Left::new();
    left.firmware = Some(OVMF);
    for directory in ["files", "tftp"] {
        std::fs::create_dir(left.home.path().join(directory)).unwrap();
    }
    std::fs::copy(IPXE, left.home.path().join(place)).unwrap();
    Some(left)
}

/// The document with parts of it changed.
fn changed(tour: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(tour.to_owned(), |tour, (from, to)| {
        assert!(tour.contains(from), "{from} is not in the tour");
        tour.replace(from, to)
    })
}

/// From an order to the owner's script; what is left in the files shows which way it took.
async fn start_by_uefi(changes: &[(&str, &str)], place: &str, trace: &str) {
    let Some(left) = with_uefi(place) else { return };
    for image in ["tiny.raw.gz", "tiny.qcow2"] {
        std::fs::write(left.home.path().join("files").join(image), "none").unwrap();
    }
    let tour = changed(&steps(&tour(), 2..=5), changes);
    let log = left.run(&format!("{tour}\n{SCRIPT}\n{trace}\n"), PATIENCE).await;
    assert!(log.contains("short1: active, 100 percent"), "{log}");
}

#[tokio::test]
async fn a_server_with_uefi_fetches_ipxe_by_tftp() {
    start_by_uefi(TFTP, BY_TFTP, "grep 'sent .*/tftp/snponly.efi' HOME/data/netboot/dnsmasq.log").await;
}

#[tokio::test]
async fn a_server_with_uefi_fetches_ipxe_by_http() {
    start_by_uefi(HTTP, BY_HTTP, "grep /files/snponly.efi HOME/meetme.log").await;
}

/// Programs that the long tests need besides, and what the image that they install begins with.
const MORE: &str = "busybox cpio depmod dropbear sfdisk mkfs.fat mcopy syslinux ssh ssh-keygen qemu-img bird birdc";
const LOADERS: [&str; 2] = ["/usr/lib/syslinux/mbr/mbr.bin", "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"];

/// Whether a long test is wanted and can be had here; says why where it is not.
fn installs() -> bool {
    let is_wanted = std::env::var("MEETME_LAB").as_deref() == Ok("require");
    let skip = if let Err(skip) = lacking(&MORE.split(' ').collect::<Vec<_>>()) {
        skip
    } else if let Some(file) = LOADERS.iter().find(|file| !Path::new(file).exists()) {
        Skip::new(format!("{file} is not installed"))
    } else if !is_wanted && std::env::var_os("MEETME_LAB_LONG").is_none() {
        Skip::new("installations by an emulated processor take minutes: `make lab` waits for them")
    } else {
        return true;
    };
    skip.report();
    false
}

#[tokio::test]
async fn a_server_with_uefi_is_installed_and_starts_from_its_disk() {
    if !installs() {
        return;
    }
    let Some(left) = with_uefi(BY_HTTP) else { return };
    let log = left.run(&changed(&steps(&tour(), 1..=7), HTTP), LONG_PATIENCE).await;
    assert!(log.lines().any(|line| line == "tour1"), "{log}");
}

#[tokio::test]
async fn an_ordered_server_is_switched_on_and_starts_its_owners_script() {
    if let Err(skip) = lacking(&[]) {
        skip.report();
        return;
    }
    let left = Left::new();
    // The images of the document are named and not installed here.
    std::fs::create_dir(left.home.path().join("files")).unwrap();
    for image in ["tiny.raw.gz", "tiny.qcow2"] {
        std::fs::write(left.home.path().join("files").join(image), "none").unwrap();
    }
    let log = left.run(&format!("{}\n{SCRIPT}", steps(&tour(), 2..=5)), PATIENCE).await;
    assert!(log.contains("short1: active, 100 percent"), "{log}");
}

#[tokio::test]
async fn the_tour_of_bare_metal_ends_with_a_wiped_disk() {
    if !installs() {
        return;
    }
    let script = blocks(&tour());
    assert!(script.contains("wait_until active") && script.contains("packet DELETE"), "the tour is not there");
    let log = Left::new().run(&script, LONG_PATIENCE).await;
    for line in ["known to the router", "answers as rescue", "answers as tour1", "nothing is left on the disk"] {
        assert!(log.lines().any(|said| said.starts_with("tour1: ") && said.ends_with(line)), "{line}: {log}");
    }
    // True percentages: the steps of the machine are seen one after another.
    let steps = log.lines().filter(|line| line.starts_with("tour1: provisioning ")).count();
    assert!(steps >= 3, "{log}");
}
