//! Data for templates: what an object says of itself, over what is assigned to it.
//!
//! Nothing here is stored: it is merged whenever somebody looks, so that a change of shared data shows everywhere at once. Most objects
//! of most places have nothing assigned, and lists of a thousand rows must not pay for those that have: which objects something is
//! assigned to is remembered until an assignment is written.

use std::collections::{HashMap, HashSet};

use meetme_base::{Kind, RawId};
use meetme_model::routing::{
    AutonomousSystem, Bfd, Community, ConfigContext, ConfigContextAssignment, DirectSession, Exchange, ExchangeLink,
    ExchangeSession, PeerGroup, Policy, Router,
};
use meetme_store::{Filter, Order, Query, Resource as _, Tx};
use serde_json::{Map, Value as Json};

use crate::{App, Error, remembered::Remembered};

/// The kinds of objects that have data for templates.
pub const KINDS: &[Kind] = &[
    AutonomousSystem::KIND,
    Bfd::KIND,
    Community::KIND,
    DirectSession::KIND,
    Exchange::KIND,
    ExchangeLink::KIND,
    ExchangeSession::KIND,
    PeerGroup::KIND,
    Policy::KIND,
    Router::KIND,
];

/// Puts one object over another: members that are objects on both sides are merged, at any depth; all else, lists too, is replaced.
pub fn merge(into: &mut Map<String, Json>, from: &Map<String, Json>) {
    for (name, value) in from {
        match (into.get_mut(name), value) {
            (Some(Json::Object(into)), Json::Object(from)) => merge(into, from),
            _ => {
                into.insert(name.clone(), value.clone());
            }
        }
    }
}

/// What comes out for an object: its own data over what is assigned to it. Nothing when both are empty.
pub fn whole(assigned: Option<&Map<String, Json>>, own: Option<&Json>) -> Option<Json> {
    let own = own.and_then(Json::as_object).filter(|own| !own.is_empty());
    match (assigned.filter(|assigned| !assigned.is_empty()), own) {
        (None, None) => None,
        (None, Some(own)) => Some(Json::Object(own.clone())),
        (Some(assigned), None) => Some(Json::Object(assigned.clone())),
        (Some(assigned), Some(own)) => {
            let mut out = assigned.clone();
            merge(&mut out, own);
            Some(Json::Object(out))
        }
    }
}

/// What is assigned to each of these objects, merged from the lightest to the heaviest and among equals in the order they were assigned;
/// no entry for an object to which nothing is. Whoever may see an object may see this of it: the assignments and the shared data are
/// read with the system's eyes. At most two statements, and none for objects that are known to have none.
///
/// # Errors
/// When the database fails.
pub fn assigned(
    app: &App,
    tx: &mut Tx<'_>,
    objects: impl IntoIterator<Item = RawId>,
) -> Result<HashMap<RawId, Map<String, Json>>, Error> {
    tx.as_system(|tx| {
        let objects = among(app, tx, objects.into_iter().collect())?;
        let mut out: HashMap<RawId, Map<String, Json>> = HashMap::new();
        if objects.is_empty() {
            return Ok(out);
        }
        let filter = Filter::is_in("object", objects.iter().copied());
        let rows = tx.list::<ConfigContextAssignment>(&Query::of(filter).order([Order::up("weight")]))?;
        let contexts = tx.many::<ConfigContext>(rows.iter().map(|row| row.spec.context))?;
        for row in &rows {
            if let Some(Json::Object(data)) = contexts.get(&row.spec.context).map(|context| &context.spec.data) {
                merge(out.entry(row.spec.object).or_default(), data);
            }
        }
        Ok(out)
    })
}

/// Which objects something is assigned to; nothing when they are too many to be remembered.
pub(crate) type Assigned = Remembered<Option<HashSet<RawId>>>;

/// What [`Assigned`] follows from.
pub(crate) const ASSIGNED: &[Kind] = &[ConfigContextAssignment::KIND];

/// The most assignments that are looked through for this.
const MOST: u32 = 2000;

/// Those of these objects that may have something assigned. Read as the system.
fn among(app: &App, tx: &mut Tx<'_>, mut objects: Vec<RawId>) -> Result<Vec<RawId>, Error> {
    if objects.is_empty() {
        return Ok(objects);
    }
    let known = app.contexts().get(app, tx, |tx| {
        let rows = tx.list::<ConfigContextAssignment>(&Query::of(Filter::All).page(MOST, 0))?;
        let few = rows.len() < MOST as usize;
        Ok(few.then(|| rows.iter().map(|row| row.spec.object).collect()))
    })?;
    if let Some(some) = &*known {
        objects.retain(|id| some.contains(id));
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: &Json) -> Map<String, Json> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn objects_are_merged_and_all_else_is_replaced() {
        for (into, from, want) in [
            (json!({}), json!({"a": 1}), json!({"a": 1})),
            (json!({"a": 1}), json!({}), json!({"a": 1})),
            (json!({"a": {"x": 1, "y": 2}}), json!({"a": {"y": 3, "z": 4}}), json!({"a": {"x": 1, "y": 3, "z": 4}})),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
            (json!({"a": {"b": {"c": 1}}}), json!({"a": {"b": {"d": 2}}}), json!({"a": {"b": {"c": 1, "d": 2}}})),
            (json!({"a": {"b": 1}}), json!({"a": null}), json!({"a": null})),
            (json!({"a": 1}), json!({"a": {"b": 1}}), json!({"a": {"b": 1}})),
        ] {
            let mut out = object(&into);
            merge(&mut out, &object(&from));
            assert_eq!(Json::Object(out), want, "{into} and {from}");
        }
    }

    #[test]
    fn an_objects_own_data_lies_over_what_is_assigned() {
        let assigned = object(&json!({"ntp": ["a"], "snmp": {"location": "x", "contact": "y"}}));
        let own = json!({"snmp": {"location": "z"}});
        let want = json!({"ntp": ["a"], "snmp": {"location": "z", "contact": "y"}});
        assert_eq!(whole(Some(&assigned), Some(&own)), Some(want));
        assert_eq!(whole(Some(&assigned), None), Some(Json::Object(assigned.clone())));
        assert_eq!(whole(None, Some(&own)), Some(own));
        for nothing in [None, Some(&json!({}))] {
            assert_eq!(whole(None, nothing), None);
            assert_eq!(whole(Some(&Map::new()), nothing), None);
        }
    }
}
