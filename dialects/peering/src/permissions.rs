//! Permissions as this application names them, `peering.add_autonomoussystem`, and the grants of the core that they are.

use meetme_model::access::Grant;
use meetme_store::{Filter, Op, Tx, Value};
use serde_json::{Value as Json, json};

use crate::{
    model::About,
    models::{self, autonomous_system, data_source, exchange, router},
};

/// Beginning of a name and the core's verb.
const VERBS: &[(&str, &str)] = &[("add", "create"), ("change", "change"), ("delete", "remove"), ("view", "see")];

/// The names beside those of the models: name, the model that it is a right on, the core's verb.
const MORE: &[(&str, fn() -> &'static About, &str)] = &[
    ("peering.send_email", || &autonomous_system::MODEL.about, "send"),
    ("devices.view_router_configuration", || &router::MODEL.about, "diagnose"),
    ("devices.deploy_router_configuration", || &router::MODEL.about, "deploy"),
    ("devices.push_router_configuration_to_data_source", || &router::MODEL.about, "push"),
    ("core.synchronise_datasource", || &data_source::MODEL.about, "act"),
    ("peering.view_internet_exchange_point_ixapi", || &exchange::MODEL.about, "diagnose"),
    ("peering.change_internet_exchange_point_ixapi", || &exchange::MODEL.about, "act"),
];

/// The grant that a name stands for; `None` for a name that is none.
pub fn grant(name: &str) -> Option<Grant> {
    if let Some((_, about, verb)) = MORE.iter().find(|(known, ..)| *known == name) {
        return Some(on(about(), verb));
    }
    let (app, rest) = name.split_once('.')?;
    let (word, model) = rest.split_once('_')?;
    let verb = VERBS.iter().find(|(known, _)| *known == word)?.1;
    let mut abouts = models::ALL.iter().map(|known| known.about());
    let about = abouts.find(|about| about.app == app && about.name.eq_ignore_ascii_case(model))?;
    (!about.read_only || verb == "see").then(|| on(about, verb))
}

/// Every name, in the order of the models.
fn all() -> impl Iterator<Item = String> {
    let of_models = models::ALL.iter().map(|model| model.about()).flat_map(|about| {
        let verbs = VERBS.iter().filter(|(_, verb)| !about.read_only || *verb == "see");
        verbs.map(|(word, _)| format!("{}.{word}_{}", about.app, about.name.to_ascii_lowercase()))
    });
    of_models.chain(MORE.iter().map(|(name, ..)| (*name).to_owned()))
}

/// The names of what these grants give, sorted.
pub fn of_grants(tx: &Tx<'_>, grants: &[Grant]) -> Vec<String> {
    let covers = |have: &Grant, want: &Grant| {
        let (kind, verb) = (want.kinds.first().map(String::as_str), want.verbs.first().map(String::as_str));
        let area = kind.and_then(|kind| tx.registry().kind(kind)).map(|info| info.area);
        let names = |word: &String| match word.strip_prefix('@') {
            Some(group) => area == Some(group),
            None => word == "*" || Some(word.as_str()) == kind,
        };
        have.fields.is_none()
            && have.kinds.iter().any(names)
            && have.verbs.iter().any(|word| word == "*" || Some(word.as_str()) == verb)
            && (have.filter.is_none() || have.filter == want.filter)
    };
    let given = |name: &String| grant(name).is_some_and(|want| grants.iter().any(|have| covers(have, &want)));
    let mut names: Vec<String> = all().filter(given).collect();
    names.sort_unstable();
    names
}

fn on(about: &About, verb: &str) -> Grant {
    Grant {
        kinds: vec![about.kind.name().to_owned()],
        verbs: vec![verb.to_owned()],
        fields: None,
        filter: only(&(about.only)()),
    }
}

/// Which rows of its kind a model shows, as a grant says it.
fn only(filter: &Filter) -> Option<Json> {
    match filter {
        Filter::Is(path, Op::Eq(Value::Text(word))) => {
            Some(json!({"field": path.0.join("."), "op": "eq", "value": word}))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_for_a_grant_of_its_own() {
        let mut seen: Vec<(String, Grant)> = Vec::new();
        for name in all() {
            let grant = grant(&name).unwrap_or_else(|| panic!("{name} stands for nothing"));
            if let Some((other, _)) = seen.iter().find(|(_, known)| *known == grant) {
                panic!("{name} and {other} are one");
            }
            seen.push((name, grant));
        }
        assert!(seen.len() > 60, "{}", seen.len());
    }

    #[test]
    fn models_of_one_kind_are_told_apart() {
        let one = grant("devices.change_configuration").unwrap();
        assert_eq!((one.kinds, one.verbs), (vec!["template".to_owned()], vec!["change".to_owned()]));
        assert_eq!(one.filter, Some(json!({"field": "purpose", "op": "eq", "value": "router"})));
        assert_eq!(grant("peering.add_autonomoussystem").unwrap().filter, None);
        for none in ["", "peering.add_nothing", "devices.add_autonomoussystem", "peering.own_autonomoussystem", "x"] {
            assert!(grant(none).is_none(), "{none}");
        }
    }
}
