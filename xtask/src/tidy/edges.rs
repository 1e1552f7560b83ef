//! Which crate may know which: the layers of ARCHITECTURE.md as a table.
//!
//! A crate that is in no row of the table is a finding too, so a new crate cannot slip in without a decision.

use std::collections::BTreeMap;

use super::Finding;
use crate::workspace::{Crate, Dependency};

/// For each folder the folders it may depend on. The first row that fits counts; `*` stands for one name.
const LAYERS: &[(&str, &[&str])] = &[
    ("core/base", &[]),
    ("core/store", &["core/base"]),
    ("core/model", &["core/base", "core/store"]),
    ("core/template", &[]),
    ("core/app", &["core/base", "core/store", "core/model", "core/template"]),
    ("core/control", &["core/base", "core/store", "core/model", "core/app", "agents/agent"]),
    ("services/*", &["core/base", "core/store", "core/model", "core/app", "core/control", "core/template"]),
    ("agents/agent", &["core/base"]),
    ("agents/local", &["agents/agent"]),
    ("agents/*", &["core/base", "agents/agent", "agents/local"]),
    ("dialects/http", &["core/base", "core/store", "core/app"]),
    ("dialects/*", &["core/base", "core/store", "core/model", "core/app", "dialects/http"]),
    ("contracts", &[]),
    ("xtask", &["contracts"]),
    ("meetme", &["core/*", "agents/*", "services/*", "dialects/*"]),
    ("tests/database", &["core/store"]),
    ("tests/whois", &[]),
    ("tests/machine", &[]),
    ("tests/register", &[]),
    ("tests/kit", &["core/base", "core/store", "core/model", "core/app", "dialects/http"]),
    ("bench", &["core/*", "agents/*", "dialects/*", "meetme", "contracts"]),
];

/// Folders that only tests may depend on, wherever they are.
const FOR_TESTS: &[&str] = &["agents/lab", "contracts", "tests/*"];

/// For tests besides what [`LAYERS`] allows: real agents under the controllers.
const TEST_LAYERS: &[(&str, &[&str])] = &[("core/control", &["agents/*"])];

/// Libraries that only some folders may use. The last mark says whether tests may use them elsewhere.
const LIBRARIES: &[(&[&str], &[&str], bool)] = &[
    (
        &["rusqlite", "libsqlite3-sys", "postgres", "tokio-postgres", "sqlx", "diesel"],
        &["core/store", "tests/database", "bench"],
        false,
    ),
    (&["axum"], &["dialects/*", "meetme", "bench"], true),
];

/// Libraries that some folders may not use outside of tests.
const WITHOUT: &[(&str, &[&str])] = &[("tokio", &["core/base", "core/store", "core/model", "core/app"])];

pub(super) fn check(crates: &[Crate]) -> Vec<Finding> {
    let folders: BTreeMap<&str, &str> = crates.iter().map(|each| (each.name.as_str(), each.folder.as_str())).collect();
    let mut findings = Vec::new();
    for each in crates {
        if row(LAYERS, &each.folder).is_none() {
            let what = "has no row in the table of layers (xtask/src/tidy/edges.rs): decide what it may know";
            findings.push(Finding::new(&each.folder, what));
            continue;
        }
        for dependency in &each.dependencies {
            let wrong = match folders.get(dependency.name.as_str()) {
                Some(folder) => wrong_edge(&each.folder, folder, dependency.is_dev),
                None => wrong_library(&each.folder, dependency),
            };
            if let Some(why) = wrong {
                findings.push(Finding::new(&each.folder, format!("may not depend on {}: {why}", dependency.name)));
            }
        }
    }
    findings
}

fn fits(pattern: &str, folder: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => folder.strip_prefix(start).is_some_and(|rest| !rest.is_empty() && !rest.contains('/')),
        None => pattern == folder,
    }
}

fn any_fits(patterns: &[&str], folder: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, folder))
}

fn row(table: &[(&str, &'static [&'static str])], folder: &str) -> Option<&'static [&'static str]> {
    table.iter().find(|(pattern, _)| fits(pattern, folder)).map(|(_, allowed)| *allowed)
}

fn wrong_edge(from: &str, to: &str, is_dev: bool) -> Option<String> {
    let in_tests = is_dev || any_fits(&["tests/*", "bench"], from);
    if any_fits(FOR_TESTS, to) && !(fits("xtask", from) && to == "contracts") {
        return (!in_tests).then(|| format!("{to} is for tests only"));
    }
    let more = if is_dev { row(TEST_LAYERS, from).unwrap_or_default() } else { &[] };
    let allowed = row(LAYERS, from).unwrap_or_default();
    // A crate may name itself for its own tests, to switch a feature on.
    if any_fits(allowed, to) || any_fits(more, to) || (is_dev && from == to) {
        return None;
    }
    Some(if allowed.is_empty() { "it knows nothing of ours".into() } else { format!("only {}", allowed.join(", ")) })
}

fn wrong_library(from: &str, dependency: &Dependency) -> Option<String> {
    let name = dependency.name.as_str();
    for (libraries, homes, free_in_tests) in LIBRARIES {
        if libraries.contains(&name) && !any_fits(homes, from) && !(*free_in_tests && dependency.is_dev) {
            return Some(format!("it belongs in {} only", homes.join(", ")));
        }
    }
    let without = WITHOUT.iter().find(|(library, _)| *library == name)?;
    (!dependency.is_dev && any_fits(without.1, from)).then(|| "the core is synchronous".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads lines such as `core/app: meetme-store tokio(dev)`; a crate is called `meetme-` and its last folder.
    fn crates(text: &str) -> Vec<Crate> {
        let read = |line: &str| {
            let (folder, rest) = line.split_once(':').expect("a folder");
            let dependency = |word: &str| match word.strip_suffix("(dev)") {
                Some(name) => Dependency { name: name.into(), is_dev: true },
                None => Dependency { name: word.into(), is_dev: false },
            };
            let name = format!("meetme-{}", folder.rsplit('/').next().expect("a name"));
            let dependencies = rest.split_whitespace().map(dependency).collect();
            Crate { name, folder: folder.trim().into(), dependencies, openings: Vec::new() }
        };
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(read).collect()
    }

    #[track_caller]
    fn check_lines(text: &str, wanted: &[&str]) {
        let found: Vec<String> = check(&crates(text)).iter().map(Finding::to_string).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn the_layers_as_drawn_are_fine() {
        check_lines(
            "core/base:
             core/store: meetme-base rusqlite postgres
             core/model: meetme-base meetme-store
             core/app: meetme-base meetme-store meetme-model
             core/control: meetme-base meetme-store meetme-model meetme-app meetme-agent tokio meetme-sim(dev)
             agents/agent: meetme-base
             agents/sim: meetme-base meetme-agent
             agents/lab: meetme-base
             dialects/http: meetme-base meetme-app meetme-store axum
             dialects/packet: meetme-http meetme-app meetme-model meetme-contracts(dev) meetme-lab(dev)
             contracts: serde_json
             xtask: meetme-contracts
             meetme: meetme-packet meetme-sim meetme-app axum
             tests/database: meetme-store postgres",
            &[],
        );
    }

    #[test]
    fn the_base_knows_nothing_of_ours() {
        check_lines(
            "core/base: meetme-store
             core/store:",
            &["core/base: may not depend on meetme-store: it knows nothing of ours"],
        );
    }

    #[test]
    fn no_dialect_knows_another_even_in_tests() {
        check_lines(
            "dialects/packet: meetme-port meetme-megaport(dev)
             dialects/port:
             dialects/megaport:",
            &[
                "dialects/packet: may not depend on meetme-port: only core/base, core/store, core/model, core/app, \
                 dialects/http",
                "dialects/packet: may not depend on meetme-megaport: only core/base, core/store, core/model, core/app, \
                 dialects/http",
            ],
        );
    }

    #[test]
    fn no_agent_knows_the_store_or_another_agent() {
        check_lines(
            "agents/bird: meetme-store meetme-sim
             agents/sim:
             core/store:",
            &[
                "agents/bird: may not depend on meetme-store: only core/base, agents/agent, agents/local",
                "agents/bird: may not depend on meetme-sim: only core/base, agents/agent, agents/local",
            ],
        );
    }

    #[test]
    fn what_tests_are_built_of_is_for_tests() {
        check_lines(
            "agents/lab:
             contracts:
             agents/bird: meetme-lab
             meetme: meetme-contracts meetme-lab(dev)",
            &[
                "agents/bird: may not depend on meetme-lab: agents/lab is for tests only",
                "meetme: may not depend on meetme-contracts: contracts is for tests only",
            ],
        );
    }

    #[test]
    fn libraries_stay_where_they_belong() {
        check_lines(
            "core/app: tokio axum axum(dev) tokio(dev)
             core/control: rusqlite(dev) tokio",
            &[
                "core/app: may not depend on tokio: the core is synchronous",
                "core/app: may not depend on axum: it belongs in dialects/*, meetme, bench only",
                "core/control: may not depend on rusqlite: it belongs in core/store, tests/database, bench only",
            ],
        );
    }

    #[test]
    fn a_crate_in_no_layer_is_asked_about() {
        check_lines(
            "plugins/dns:",
            &["plugins/dns: has no row in the table of layers (xtask/src/tidy/edges.rs): decide what it may know"],
        );
    }
}
