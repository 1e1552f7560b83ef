//! Sources read for good: directories, and repositories by the git program.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod remote;

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use meetme_app::{Error, identity, sources};
use meetme_base::{Id, RawId, Secret, Time};
use meetme_control::jobs::{Done, Work, Worker as _};
use meetme_model::{
    ops::{DataFile, DataSource, DataSourceStatus, Follows, Publishes, SourceForm, SourceState},
    routing::{Router, Template},
};
use meetme_source::{Limits, Settings, SourceWorker};
use meetme_store::{Actor, Context, Filter, Order, Query};
use meetme_testkit::{Place, as_system};
use tempfile::TempDir;

struct World {
    place: Place,
    top: RawId,
    root: TempDir,
}

impl World {
    async fn each() -> Vec<Self> {
        let mut out = Vec::new();
        for place in meetme_testkit::both(Time(1_790_000_000_123)) {
            let password = Secret::new("a long password".to_owned());
            let made = as_system(&place.app, move |app, tx| {
                Ok(identity::first(app, tx, "Operator", "root", &password)?.operator)
            });
            let top = made.await.id.any();
            out.push(Self { place, top, root: TempDir::new().unwrap() });
        }
        out
    }

    async fn one() -> Self {
        Self::each().await.remove(0)
    }

    fn file(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn settings(&self) -> Settings {
        Settings { root: Some(self.root.path().to_owned()), ..Settings::default() }
    }

    async fn source(&self, form: SourceForm, url: &str) -> Id<DataSource> {
        let source = DataSource { name: format!("S {url}"), form, url: url.to_owned(), ..DataSource::default() };
        self.make(source).await
    }

    async fn make(&self, source: DataSource) -> Id<DataSource> {
        let top = self.top;
        as_system(&self.place.app, move |_, tx| Ok(tx.create(top, source.clone())?.id)).await
    }

    /// Asks for the work and does it.
    async fn sync(&self, id: Id<DataSource>, settings: Settings) -> Result<Done, String> {
        let job = as_system(&self.place.app, move |_, tx| sources::synchronise(tx, id)).await;
        let work = Work::new(job, Actor::system(), std::sync::Arc::clone(self.place.app.clock()));
        SourceWorker::new(self.place.app.clone(), settings).run(&work).await
    }

    async fn files(&self) -> Vec<DataFile> {
        let read = self.place.app.store().read::<_, Error, _>(Context::system(), |tx| {
            let query = Query::of(Filter::All).order(vec![Order::up("path")]);
            Ok(tx.list::<DataFile>(&query)?.into_iter().map(|file| file.spec).collect())
        });
        read.await.unwrap()
    }

    async fn names(&self) -> Vec<String> {
        self.files().await.into_iter().map(|file| file.path).collect()
    }

    async fn status(&self, id: Id<DataSource>) -> DataSourceStatus {
        let app = &self.place.app;
        app.store().read::<_, Error, _>(Context::system(), move |tx| Ok(tx.get(id)?.status)).await.unwrap()
    }
}

#[tokio::test]
async fn a_directory_becomes_files_and_templates_follow() {
    for w in World::each().await {
        w.file("texts/base.j2", "one");
        w.file("texts/deep/er/other.j2", "other");
        w.file("texts/notes.md", "not wanted");
        w.file("texts/.git/config", "hidden");
        w.file("texts/logo.png", [0x89, 0x50, 0x00, 0xff]);
        let source = DataSource { ignore: "*.md\n".into(), ..source("texts") };
        let id = w.make(source).await;
        let done = w.sync(id, w.settings()).await.unwrap();
        assert_eq!(done.output, "3 files are new, 0 have changed, 0 are gone.");
        let files = w.files().await;
        let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(names, ["base.j2", "deep/er/other.j2", "logo.png"], "{}", w.place.make);
        // The SHA-256 of `one`.
        assert_eq!(files[0].hash, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
        assert_eq!((files[0].text.as_deref(), files[2].text.as_deref()), (Some("one"), None));
        assert_eq!(files[2].base64.as_deref(), Some("iVAA/w=="));
        let top = w.top;
        let follows = Follows { source: Some(id), path: "base.j2".into(), automatic: true, synced_at: None };
        let template = Template { name: "T".into(), text: "old".into(), follows, ..Template::default() };
        let template = as_system(&w.place.app, move |_, tx| Ok(tx.create(top, template.clone())?.id)).await;
        w.file("texts/base.j2", "two");
        std::fs::remove_file(w.root.path().join("texts/logo.png")).unwrap();
        let done = w.sync(id, w.settings()).await.unwrap();
        assert_eq!(done.output, "0 files are new, 1 have changed, 1 are gone.");
        let text = as_system(&w.place.app, move |_, tx| Ok(tx.get(template)?.spec.text)).await;
        assert_eq!(text, "two", "{}", w.place.make);
        let status = w.status(id).await;
        assert_eq!((status.state, status.error), (SourceState::Completed, None));
        // Nothing changed, nothing is written.
        assert_eq!(w.sync(id, w.settings()).await.unwrap().output, "0 files are new, 0 have changed, 0 are gone.");
    }
}

fn source(url: &str) -> DataSource {
    DataSource { name: "S".into(), url: url.into(), ..DataSource::default() }
}

#[tokio::test]
async fn nothing_outside_the_opened_directory_is_read() {
    let w = World::one().await;
    let outside = TempDir::new().unwrap();
    std::fs::write(outside.path().join("secret"), "hunter2").unwrap();
    w.file("texts/base.j2", "one");
    symlink(outside.path(), w.root.path().join("texts/link")).unwrap();
    symlink(outside.path().join("secret"), w.root.path().join("texts/secret")).unwrap();
    symlink(outside.path(), w.root.path().join("away")).unwrap();
    let id = w.source(SourceForm::Local, "texts").await;
    w.sync(id, w.settings()).await.unwrap();
    assert_eq!(w.names().await, ["base.j2"]);
    for url in ["away", "/etc", &outside.path().display().to_string(), "none", "file:///etc", "texts/base.j2"] {
        let id = w.source(SourceForm::Local, url).await;
        let why = w.sync(id, w.settings()).await.unwrap_err();
        assert_eq!(why, "There is no such directory below the one that the operator opened.", "{url}");
        let status = w.status(id).await;
        assert_eq!((status.state, status.error), (SourceState::Failed, Some(why)));
    }
    let why = w.sync(id, Settings::default()).await.unwrap_err();
    assert_eq!(why, "The operator has opened no directory for local sources.");
    // What was read stays when a look fails.
    assert_eq!(w.names().await, ["base.j2"]);
}

#[tokio::test]
async fn a_source_that_is_too_large_is_refused_whole() {
    let w = World::one().await;
    for i in 0..5 {
        w.file(&format!("texts/{i}"), "0123456789");
    }
    w.file("texts/large", vec![b'x'; usize::try_from(DataFile::MOST).unwrap() + 1]);
    let id = w.source(SourceForm::Local, "texts").await;
    let limits = |files, bytes| Settings { limits: Limits { files, bytes, seconds: 60 }, ..w.settings() };
    assert!(w.sync(id, limits(4, 1000)).await.unwrap_err().contains("more than 4 files"));
    assert!(w.sync(id, limits(10, 49)).await.unwrap_err().contains("49 bytes"));
    assert!(w.names().await.is_empty());
    w.sync(id, limits(5, 50)).await.unwrap();
    assert_eq!(w.names().await, ["0", "1", "2", "3", "4"]);
}

/// A repository below the opened directory; `None` where there is no git to make one with.
fn repository(root: &Path, files: &[(&str, &str)]) -> Option<PathBuf> {
    let at = root.join("repo");
    std::fs::create_dir_all(&at).unwrap();
    if !git(&at, &["init", "--quiet", "--initial-branch=main"]) {
        return None;
    }
    commit(&at, files);
    Some(at)
}

fn commit(at: &Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        std::fs::create_dir_all(at.join(path).parent().unwrap()).unwrap();
        std::fs::write(at.join(path), text).unwrap();
    }
    assert!(git(at, &["add", "--all"]));
    assert!(git(at, &["commit", "--quiet", "--message", "x"]));
}

fn git(at: &Path, words: &[&str]) -> bool {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=T", "-c", "user.email=t@example.net", "-c", "commit.gpgsign=false"]);
    command.args(words).current_dir(at).output().is_ok_and(|done| done.status.success())
}

#[tokio::test]
async fn a_repository_is_read_by_branch_and_nothing_of_it_is_run() {
    for w in World::each().await {
        let Some(at) = repository(w.root.path(), &[("base.j2", "one"), ("a/b.txt", "b")]) else {
            println!("SKIPPED: there is no git program");
            return;
        };
        symlink("/etc/passwd", at.join("link")).unwrap();
        // Were the repository checked out, this would be run.
        let mark = w.root.path().join("mark");
        let hook = format!("#!/bin/sh\ntouch {}\n", mark.display());
        for name in ["post-checkout", "post-merge", "post-index-change", "reference-transaction"] {
            std::fs::write(at.join(".git/hooks").join(name), &hook).unwrap();
            assert!(Command::new("chmod").arg("+x").arg(at.join(".git/hooks").join(name)).status().unwrap().success());
        }
        std::fs::write(at.join(".gitattributes"), "*.j2 filter=evil\n").unwrap();
        commit(&at, &[("base.j2", "two")]);
        std::fs::remove_file(&mark).unwrap_or_default();
        let url = format!("file://{}", at.display());
        let id = w.source(SourceForm::Git, &url).await;
        let done = w.sync(id, w.settings()).await.unwrap();
        assert_eq!(done.output, "2 files are new, 0 have changed, 0 are gone.", "{}", w.place.make);
        assert_eq!(w.names().await, ["a/b.txt", "base.j2"]);
        assert_eq!(w.files().await[1].text.as_deref(), Some("two"));
        assert!(!mark.exists(), "a hook of the repository was run");
        assert_eq!(w.status(id).await.revision.map(|revision| revision.len()), Some(40));
        assert!(git(&at, &["switch", "--quiet", "--create", "next"]));
        commit(&at, &[("base.j2", "three")]);
        assert!(git(&at, &["switch", "--quiet", "main"]));
        w.sync(id, w.settings()).await.unwrap();
        assert_eq!(w.files().await[1].text.as_deref(), Some("two"));
        let branch = |name: &'static str| {
            as_system(&w.place.app, move |_, tx| {
                let mut source = tx.get(id)?;
                let parameters = Some(serde_json::json!({"branch": name}));
                let spec = DataSource { parameters, ..source.spec.clone() };
                Ok(tx.save(&mut source, spec)?)
            })
        };
        branch("next").await;
        w.sync(id, w.settings()).await.unwrap();
        assert_eq!(w.files().await[1].text.as_deref(), Some("three"));
        branch("none").await;
        let why = w.sync(id, w.settings()).await.unwrap_err();
        assert!(why.starts_with("Git failed:"), "{why}");
    }
}

/// A router whose configuration goes to a file of the source; pushes it and says what the job answers.
async fn push(w: &World, name: &'static str, source: Id<DataSource>, path: &'static str) -> Result<String, String> {
    let top = w.top;
    let job = as_system(&w.place.app, move |_, tx| {
        let text = "router {{ router.name }}\n".to_owned();
        let template = Template { name: format!("T {name}"), text, ..Template::default() };
        let template = tx.create(top, template)?.id;
        let publishes = Publishes { source: Some(source), path: path.into() };
        let router = Router {
            name: name.into(),
            hostname: format!("{name}.example.net"),
            template: Some(template),
            publishes,
            ..Router::default()
        };
        let router = tx.create(top, router)?.id;
        sources::push(tx, router)
    })
    .await;
    let work = Work::new(job, Actor::system(), std::sync::Arc::clone(w.place.app.clock()));
    SourceWorker::new(w.place.app.clone(), w.settings()).run(&work).await.map(|done| done.output)
}

#[tokio::test]
async fn a_configuration_is_written_to_a_file_of_a_directory() {
    let w = World::one().await;
    let outside = TempDir::new().unwrap();
    w.file("texts/x", "x");
    symlink(outside.path(), w.root.path().join("texts/away")).unwrap();
    symlink(outside.path().join("passwd"), w.root.path().join("texts/link")).unwrap();
    let id = w.source(SourceForm::Local, "texts").await;
    assert_eq!(push(&w, "edge1", id, "deep/edge1.conf").await.unwrap(), "deep/edge1.conf is written.");
    let read = |path: &str| std::fs::read_to_string(w.root.path().join("texts").join(path)).unwrap();
    assert_eq!(read("deep/edge1.conf"), "router edge1");
    assert_eq!(w.status(id).await.state, SourceState::Completed);
    for path in ["away/x", "away/deep/x"] {
        let name = if path == "away/x" { "edge2" } else { "edge3" };
        let why = push(&w, name, id, path).await.unwrap_err();
        assert!(why.contains("leads out"), "{path}: {why}");
    }
    assert_eq!(w.status(id).await.state, SourceState::Failed);
    // A link of that name is replaced and not followed.
    push(&w, "edge4", id, "link").await.unwrap();
    assert_eq!(read("link"), "router edge4");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0, "nothing is written outside");
}

#[tokio::test]
async fn a_configuration_is_committed_to_a_repository() {
    let w = World::one().await;
    let Some(at) = repository(w.root.path(), &[("base.j2", "one")]) else {
        println!("SKIPPED: there is no git program");
        return;
    };
    let bare = w.root.path().join("bare");
    assert!(git(w.root.path(), &["clone", "--quiet", "--bare", "repo", "bare"]));
    let mark = w.root.path().join("mark");
    std::fs::create_dir_all(bare.join("hooks")).unwrap();
    for name in ["pre-receive", "update", "post-receive", "post-update"] {
        let hook = bare.join("hooks").join(name);
        std::fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", mark.display())).unwrap();
        assert!(Command::new("chmod").arg("+x").arg(&hook).status().unwrap().success());
    }
    let id = w.source(SourceForm::Git, &format!("file://{}", bare.display())).await;
    let said = push(&w, "edge1", id, "routers/edge1.conf").await.unwrap();
    assert!(said.starts_with("routers/edge1.conf is in the commit "), "{said}");
    assert!(!mark.exists(), "a hook of the repository was run");
    w.sync(id, w.settings()).await.unwrap();
    let files = w.files().await;
    let shown: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.text.as_deref().unwrap())).collect();
    assert_eq!(shown, [("base.j2", "one"), ("routers/edge1.conf", "router edge1")]);
    drop(at);
    // The same text again is no commit.
    let job = as_system(&w.place.app, |_, tx| {
        let router = tx.one::<Router>(&Filter::eq("name", "edge1"))?.unwrap();
        sources::push(tx, router.id)
    })
    .await;
    let work = Work::new(job, Actor::system(), std::sync::Arc::clone(w.place.app.clock()));
    let again = SourceWorker::new(w.place.app.clone(), w.settings()).run(&work).await.unwrap();
    assert_eq!(again.output, "routers/edge1.conf is as it was.");
}

#[tokio::test]
async fn a_repository_inside_is_not_called() {
    let w = World::one().await;
    if repository(w.root.path(), &[("x", "x")]).is_none() {
        println!("SKIPPED: there is no git program");
        return;
    }
    for (url, says) in [
        ("https://127.0.0.1/x", "not one that sources may be at"),
        ("https://localhost:8443/x", "not one that sources may be at"),
        ("https://[::1]/x", "not one that sources may be at"),
        ("ssh://git@127.0.0.1/x", "set up no SSH"),
        ("git@127.0.0.1:x", "set up no SSH"),
        ("file:///etc", "no such directory"),
    ] {
        let id = w.source(SourceForm::Git, url).await;
        let why = w.sync(id, w.settings()).await.unwrap_err();
        assert!(why.contains(says), "{url}: {why}");
    }
    let known_hosts = Some(w.root.path().join("known_hosts"));
    let id = w.source(SourceForm::Git, "ssh://git@127.0.0.1:2222/x").await;
    let why = w.sync(id, Settings { known_hosts, ..w.settings() }).await.unwrap_err();
    assert!(why.contains("not one that sources may be at"), "{why}");
}
