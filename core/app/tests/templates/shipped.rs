//! The templates that come with Meetme: what they write is read by the daemons' own checkers, whatever people put into names.

use std::{fs, path::Path, process::Command};

use meetme_app::templates::{self, Passwords, SHIPPED};
use meetme_model::routing::{Template, TemplatePurpose};
use meetme_store::Filter;

use crate::book::{Book, HOSTILE, each};

/// The text of a template as it is in the tree, so that one can be worked on without building anew.
fn text(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates").join(file)).unwrap()
}

/// Has a daemon's checker read a text; none when the program is not there.
fn checked(command: &[&str], file: &str, config: &str) -> Option<Result<(), String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    fs::write(&path, config).unwrap();
    // OpenBGPD and GoBGP read secrets from files that only their owner may read.
    #[cfg(unix)]
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut words = command.to_vec();
    let name = path.to_str().unwrap().to_owned();
    words.push(&name);
    let done = Command::new(words[0])
        .env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()))
        .args(&words[1..])
        .output();
    let done = match done {
        Ok(done) => done,
        Err(error) => {
            println!("SKIPPED: {} cannot be run: {error}", command[0]);
            return None;
        }
    };
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    // vtysh answers 0 even where it complains of a line.
    let complains =
        said.contains("% Unknown command") || said.contains("% Command incomplete") || said.contains("error");
    Some(if done.status.success() && !complains { Ok(()) } else { Err(said) })
}

/// Numbered lines, for people who read a failure.
fn numbered(config: &str) -> String {
    (1..).zip(config.lines()).map(|(n, line)| format!("{n:4} {line}\n")).collect()
}

async fn is_taken(book: &Book, template: &str, command: &[&str], file: &str) -> String {
    let config = book.rendered(&text(template), Passwords::Clear).await.unwrap_or_else(|e| panic!("{template}: {e}"));
    if let Some(Err(why)) = checked(command, file, &config) {
        panic!("{why}\n{}", numbered(&config));
    }
    config
}

const BIRD: (&str, &[&str], &str) = ("bird2.j2", &["bird", "-p", "-c"], "bird.conf");
const FRR: (&str, &[&str], &str) = ("frr.j2", &["vtysh", "-C", "-f"], "frr.conf");
const GOBGP: (&str, &[&str], &str) = ("gobgp.j2", &["gobgpd", "-d", "-f"], "gobgpd.toml");
const OPENBGPD: (&str, &[&str], &str) = ("openbgpd.j2", &["bgpd", "-n", "-f"], "bgpd.conf");

#[tokio::test]
async fn bird_takes_what_its_template_writes() {
    each("Peer", async |book| {
        let config = is_taken(&book, BIRD.0, BIRD.1, BIRD.2).await;
        let wanted = [
            "protocol bgp peer_s",
            "receive limit 900000 action restart;",
            "local role customer;\n  require roles on;",
            "local role rs_client;",
            "ttl security on;",
            "disabled on;",
            "multihop 3;",
            "bgp_community.add((65535, 0));",
            "password \"s3cret\";",
        ];
        for wanted in wanted {
            assert!(config.contains(wanted), "{wanted}\n{}", numbered(&config));
        }
        assert!(!config.contains("192.0.2.13") && !config.contains("192.0.2.21"), "asked for, and another router's");
    })
    .await;
}

#[tokio::test]
async fn frr_takes_what_its_template_writes() {
    each("Peer", async |book| {
        let config = is_taken(&book, FRR.0, FRR.1, FRR.2).await;
        for wanted in [
            "bgp ebgp-requires-policy",
            "local-role rs-client\n",
            "local-role customer strict-mode\n",
            "maximum-prefix 900000 restart 15",
            "shutdown",
        ] {
            assert!(config.contains(wanted), "{wanted}\n{}", numbered(&config));
        }
    })
    .await;
}

#[tokio::test]
async fn gobgp_takes_what_its_template_writes() {
    each("Peer", async |book| {
        let config = is_taken(&book, GOBGP.0, GOBGP.1, GOBGP.2).await;
        for wanted in ["default-import-policy = \"reject-route\"", "max-prefixes = 900000", "admin-down = true"] {
            assert!(config.contains(wanted), "{wanted}\n{}", numbered(&config));
        }
    })
    .await;
}

#[tokio::test]
async fn openbgpd_takes_what_its_template_writes() {
    each("Peer", async |book| {
        let config = is_taken(&book, OPENBGPD.0, OPENBGPD.1, OPENBGPD.2).await;
        for wanted in [
            "announce policy rs-client\n",
            "announce policy customer enforce\n",
            "max-prefix 900000 restart 15",
            "ttl-security yes",
            "enforce neighbor-as yes",
        ] {
            assert!(config.contains(wanted), "{wanted}\n{}", numbered(&config));
        }
    })
    .await;
}

#[tokio::test]
async fn no_name_breaks_out_of_a_configuration() {
    each(HOSTILE, async |book| {
        for (template, command, file) in [BIRD, FRR, GOBGP, OPENBGPD] {
            let config = is_taken(&book, template, command, file).await;
            let named: Vec<&str> = config.lines().filter(|line| line.contains("Evil")).collect();
            assert!(!named.is_empty(), "{template}");
            assert!(!named.iter().any(|line| line.contains("49")), "{template}: a name is no template: {named:?}");
            for line in config.lines() {
                assert!(!line.trim_start().starts_with("no router bgp"), "{template}: {line}");
                assert!(!line.trim_start().starts_with("protocol kernel { }"), "{template}: {line}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_password_that_cannot_be_said_is_an_error_and_never_another_password() {
    each("Peer", async |book| {
        for password in ["a\"; b", "line\nbreak", "ünsäfe"] {
            let session = book.laid.across;
            book.write(move |app, tx| {
                let mut row = tx.get(session)?;
                let mut spec = row.spec.clone();
                spec.peer.password = Some(app.sealer().seal(password)?);
                Ok(tx.save(&mut row, spec)?)
            })
            .await;
            for (template, command, file) in [BIRD, FRR, GOBGP, OPENBGPD] {
                match book.rendered(&text(template), Passwords::Clear).await {
                    Err(failure) => assert!(failure.to_string().contains("password"), "{template}: {failure}"),
                    // GoBGP's language has escapes.
                    Ok(config) => {
                        assert!(template == GOBGP.0 || (template == FRR.0 && !password.contains(' ')), "{template}");
                        if let Some(Err(why)) = checked(command, file, &config) {
                            panic!("{template}: {why}");
                        }
                    }
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_registries_and_validators_say_is_used() {
    each("Peer", async |book| {
        let router = book.laid.edge1;
        book.write(move |_, tx| {
            let mut row = tx.get(router)?;
            let mut spec = row.spec.clone();
            spec.context = Some(serde_json::json!({
                "networks": ["198.51.100.0/24"], "rpki_servers": [{"host": "203.0.113.250", "port": 3323}],
            }));
            Ok(tx.save(&mut row, spec)?)
        })
        .await;
        for (template, command, file) in [BIRD, FRR, GOBGP, OPENBGPD] {
            let config = is_taken(&book, template, command, file).await;
            assert!(config.contains("203.0.113.250") && config.contains("3323"), "{template}");
            assert!(config.to_lowercase().contains("invalid"), "{template}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_templates_are_put_into_a_book_once_and_brought_up_to_date() {
    each("Peer", async |book| {
        let top = book.laid.top;
        let (first, second) =
            book.write(move |_, tx| Ok((templates::install(tx, top)?, templates::install(tx, top)?))).await;
        assert_eq!((first, second), (SHIPPED.len(), 0));
        let again = book
            .write(move |_, tx| {
                let here = Filter::eq("tenant", top).and(Filter::eq("name", SHIPPED[0].name));
                let mut row = tx.one::<Template>(&here)?.unwrap();
                assert_eq!(row.spec.purpose, TemplatePurpose::Router);
                let old = Template { text: "old".into(), ..row.spec.clone() };
                tx.save(&mut row, old)?;
                templates::install(tx, top)
            })
            .await;
        assert_eq!(again, 1);
        for shipped in SHIPPED {
            assert_eq!(templates::check(shipped.text, meetme_template::Flags::default()), Ok(()), "{}", shipped.name);
        }
    })
    .await;
}
