//! `cargo xtask contracts`: how much of each dialect's contract exists and is proven. Counted, never guessed.
//!
//! Three sources that know nothing of each other are laid side by side: the contract, the binary's own table of operations
//! (`meetme ops`, one JSON object to a line) and the proofs that the tests left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use meetme_contracts::{Contract, Operation, all, proven, refused};
use serde_json::Value;

use crate::run::cargo;

/// An operation as the binary tells it.
#[derive(Clone, Debug, PartialEq)]
struct Ours {
    method: String,
    path: String,
}

/// The binary's operations by dialect and id.
type Tables = BTreeMap<String, BTreeMap<String, Ours>>;

/// What is to be said of one dialect.
#[derive(Debug, Default, PartialEq)]
struct Row {
    dialect: &'static str,
    operations: usize,
    in_seed: usize,
    exist: Option<usize>,
    proven: usize,
    /// In the contract, not in the binary.
    missing: Vec<String>,
    /// In the contract, and refused on purpose: each with its reason.
    refused: Vec<String>,
    /// In the binary, without proof.
    unproven: Vec<String>,
    /// In both, but at another method or path.
    moved: Vec<String>,
    /// In the binary only.
    extra: Vec<String>,
}

/// Prints the table; false when an operation is not where its contract says.
pub fn run(root: &Path, missing: bool, seed_only: bool) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    let tables = match tables(root) {
        Ok(tables) => Some(tables),
        Err(why) => {
            writeln!(out, "`meetme ops` tells no operations, so none count as existing: {why:#}\n")?;
            None
        }
    };
    let mut rows = Vec::new();
    for contract in all() {
        let proofs = proven(contract.dialect)?;
        rows.push(row(contract, tables.as_ref(), &proofs, seed_only));
    }
    out.write_all(table(&rows).as_bytes())?;
    for row in &rows {
        list(&mut out, row.dialect, "not at the method and path of its contract", &row.moved)?;
        list(&mut out, row.dialect, "not in the contract", &row.extra)?;
        list(&mut out, row.dialect, "refused on purpose", &row.refused)?;
        if missing {
            list(&mut out, row.dialect, "missing", &row.missing)?;
            list(&mut out, row.dialect, "not proven", &row.unproven)?;
        }
    }
    Ok(rows.iter().all(|row| row.moved.is_empty()))
}

fn list(out: &mut impl std::io::Write, dialect: &str, what: &str, names: &[String]) -> std::io::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{dialect}, {what} ({}):", names.len())?;
    names.iter().try_for_each(|name| writeln!(out, "  {name}"))
}

fn tables(root: &Path) -> Result<Tables> {
    let output = cargo(root)
        .args(["run", "--quiet", "--package", "meetme", "--", "ops"])
        .output()
        .context("cargo run does not run")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{}", said.lines().find(|line| line.starts_with("error")).unwrap_or("it failed without a word"));
    }
    let tables = read(&String::from_utf8(output.stdout).context("its answer is not a text")?)?;
    if tables.is_empty() {
        bail!("it printed nothing");
    }
    Ok(tables)
}

/// Reads lines of `{"dialect","id","method","path"}`.
fn read(text: &str) -> Result<Tables> {
    let mut tables = Tables::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let value: Value = serde_json::from_str(line).with_context(|| format!("{line:?} is not JSON"))?;
        let part = |key: &str| value[key].as_str().map(str::to_owned).with_context(|| format!("{line} has no {key}"));
        let dialect = part("dialect")?;
        // The crate's name is shorter than the dialect's.
        let dialect = meetme_contracts::of(&dialect).map_or(dialect, |contract| contract.dialect.to_owned());
        let ours = Ours { method: part("method")?, path: part("path")? };
        if tables.entry(dialect.clone()).or_default().insert(part("id")?, ours).is_some() {
            bail!("{dialect} has two operations with the id of {line}");
        }
    }
    Ok(tables)
}

fn row(contract: &Contract, tables: Option<&Tables>, proofs: &BTreeSet<String>, seed_only: bool) -> Row {
    let mut row = Row { dialect: contract.dialect, exist: tables.map(|_| 0), ..Row::default() };
    let none = BTreeMap::new();
    let ours = tables.map(|tables| tables.get(contract.dialect).unwrap_or(&none));
    for operation in contract.operations.iter().filter(|operation| operation.in_seed || !seed_only) {
        row.operations += 1;
        row.in_seed += usize::from(operation.in_seed);
        let is_proven = proofs.contains(&operation.id);
        row.proven += usize::from(is_proven);
        match (ours.and_then(|ours| ours.get(&operation.id)), &mut row.exist) {
            (Some(found), Some(exist)) => {
                *exist += 1;
                if !same_place(operation, found) {
                    let theirs = format!("{} {}", operation.method, operation.path);
                    row.moved.push(format!("{}: {} {}, not {theirs}", operation.id, found.method, found.path));
                }
                if !is_proven {
                    row.unproven.push(operation.id.clone());
                }
            }
            (_, Some(_)) => match refused(contract.dialect, &operation.id) {
                Some(one) => row.refused.push(format!("{}: {} {}", one.id, one.status, one.why)),
                None => row.missing.push(operation.id.clone()),
            },
            (_, None) if !is_proven => row.unproven.push(operation.id.clone()),
            (_, None) => {}
        }
    }
    let wide: Vec<&Operation> = contract.operations.iter().filter(|operation| operation.path.contains(ANY)).collect();
    let known = |id: &str, ours: &Ours| {
        contract.operation(id).is_some() || wide.iter().any(|operation| same_place(operation, ours))
    };
    let extra = ours.into_iter().flatten().filter(|(id, ours)| !known(id, ours));
    row.extra = extra.map(|(id, _)| id.clone()).collect();
    row
}

/// What stands in a contract's path for any path below: such an operation is served at many places, under an id for each.
const ANY: &str = "<any>";

/// Whether an operation is served at the contract's method and path, whatever its variables are called.
fn same_place(operation: &Operation, ours: &Ours) -> bool {
    if let Some((root, _)) = operation.path.split_once(ANY) {
        return operation.method.eq_ignore_ascii_case(&ours.method) && ours.path.starts_with(root);
    }
    let plain = |path: &str| -> Vec<String> {
        let is_variable = |part: &str| part.starts_with([':', '{', '*']);
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.map(|part| if is_variable(part) { "{}".to_owned() } else { part.to_owned() }).collect()
    };
    operation.method.eq_ignore_ascii_case(&ours.method) && plain(&operation.path) == plain(&ours.path)
}

fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut line = |name: &str, cells: [String; 4]| {
        let [operations, in_seed, exist, proven] = cells;
        // Writing into a String cannot fail.
        writeln!(text, "{name:<16} {operations:>10} {in_seed:>8} {exist:>13} {proven:>13}").unwrap_or_default();
    };
    let headings = ["operations", "in seed", "exist", "proven"].map(str::to_owned);
    line("dialect", headings);
    let share = |part: usize, whole: usize| format!("{part} ({:>3}%)", (part * 100).checked_div(whole).unwrap_or(0));
    let cells = |operations: usize, in_seed: usize, exist: Option<usize>, proven: usize| {
        let exist = exist.map_or_else(|| "-".to_owned(), |exist| share(exist, operations));
        [operations.to_string(), in_seed.to_string(), exist, share(proven, operations)]
    };
    for row in rows {
        line(row.dialect, cells(row.operations, row.in_seed, row.exist, row.proven));
    }
    let sum = |part: fn(&Row) -> usize| rows.iter().map(part).sum();
    let exist = rows.iter().map(|row| row.exist).sum::<Option<usize>>();
    line("all", cells(sum(|row| row.operations), sum(|row| row.in_seed), exist, sum(|row| row.proven)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contract(dialect: &str) -> &'static Contract {
        meetme_contracts::of(dialect).expect("a contract")
    }

    fn told(lines: &str) -> Tables {
        read(lines).expect("operations")
    }

    #[test]
    fn without_the_binary_nothing_exists_and_proofs_still_count() {
        let proofs = BTreeSet::from(["get_entity".to_owned(), "an_old_name".to_owned()]);
        let row = row(contract("port"), None, &proofs, false);
        assert_eq!((row.exist, row.proven), (None, 1));
        assert_eq!(row.unproven.len(), row.operations - 1);
        assert!(row.missing.is_empty());
    }

    #[test]
    fn operations_exist_move_lack_proof_or_are_missing() {
        let tables = told(
            r#"{"dialect":"packet","id":"get_ssh_key","method":"GET","path":"/ssh-keys/:key"}
               {"dialect":"packet","id":"list_ssh_keys","method":"GET","path":"/keys"}
               {"dialect":"packet","id":"list_pigeons","method":"GET","path":"/pigeons"}"#,
        );
        let row = row(contract("packet"), Some(&tables), &BTreeSet::from(["get_ssh_key".to_owned()]), false);
        assert_eq!((row.exist, row.proven), (Some(2), 1));
        assert_eq!(row.moved, ["list_ssh_keys: GET /keys, not GET /ssh-keys"]);
        assert_eq!(row.unproven, ["list_ssh_keys"]);
        assert_eq!(row.extra, ["list_pigeons"]);
        assert_eq!(row.missing.len(), row.operations - 2);
    }

    #[test]
    fn what_is_refused_on_purpose_is_not_missing_and_does_not_exist() {
        let tables = told(r#"{"dialect":"peering","id":"api_root","method":"GET","path":"/api"}"#);
        let row = row(contract("peering-manager"), Some(&tables), &BTreeSet::new(), false);
        assert_eq!(row.refused.len(), 7);
        assert!(row.refused[0].starts_with("core_object_changes_create: 405 The change log"), "{}", row.refused[0]);
        assert_eq!(row.missing.len(), row.operations - 1 - row.refused.len());
    }

    #[test]
    fn the_seed_alone_is_counted_when_asked() {
        let row = row(contract("megaport"), None, &BTreeSet::new(), true);
        assert_eq!(row.operations, row.in_seed);
        assert!(row.in_seed < contract("megaport").operations.len());
    }

    #[test]
    fn the_crates_name_of_a_dialect_is_understood() {
        let tables = told(r#"{"dialect":"peering","id":"api_root","method":"GET","path":"/api"}"#);
        let row = row(contract("peering-manager"), Some(&tables), &BTreeSet::new(), false);
        assert_eq!((row.exist, row.moved.len()), (Some(1), 0));
    }

    #[test]
    fn an_operation_of_any_path_is_served_at_many() {
        let tables = told(
            r#"{"dialect":"peering","id":"any_options","method":"OPTIONS","path":"/api/"}
               {"dialect":"peering","id":"net_bfd_options","method":"OPTIONS","path":"/api/net/bfd/"}
               {"dialect":"peering","id":"net_bfd_trace","method":"TRACE","path":"/api/net/bfd/"}"#,
        );
        let row = row(contract("peering-manager"), Some(&tables), &BTreeSet::new(), false);
        assert_eq!((row.exist, row.moved.len()), (Some(1), 0));
        assert_eq!(row.extra, ["net_bfd_trace"]);
    }

    #[test]
    fn what_the_binary_tells_must_make_sense() {
        assert!(read("hello").is_err());
        assert!(read(r#"{"dialect":"port","id":"x","method":"GET"}"#).is_err());
        let twice = r#"{"dialect":"port","id":"x","method":"GET","path":"/x"}"#;
        assert!(read(&format!("{twice}\n{twice}")).is_err());
    }

    #[test]
    fn the_table_lines_up_and_sums() {
        let row =
            |dialect, operations, exist| Row { dialect, operations, in_seed: 1, exist, proven: 1, ..Row::default() };
        let text = table(&[row("port", 4, Some(2)), row("packet", 6, Some(3))]);
        assert_eq!(
            text,
            "dialect          operations  in seed         exist        proven\n\
             port                      4        1      2 ( 50%)      1 ( 25%)\n\
             packet                    6        1      3 ( 50%)      1 ( 16%)\n\
             all                      10        2      5 ( 50%)      2 ( 20%)\n"
        );
        assert!(table(&[row("port", 4, None)]).contains("        -"));
    }
}
